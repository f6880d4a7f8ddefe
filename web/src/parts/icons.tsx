// Small line drawings, 20 x 20, in the colour of the text. They never carry a meaning alone.
const paths = {
  today: 'M3 8h14M6 3v3M14 3v3M4.5 4.5h11A1.5 1.5 0 0 1 17 6v9.5a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 3 15.5V6a1.5 1.5 0 0 1 1.5-1.5ZM7 12l2 2 4-4',
  orders: 'M4 4.5h12M4 8.2h12M4 11.8h12M4 15.5h7',
  sources: 'M3 6.5C3 5 6.1 4 10 4s7 1 7 2.5S13.9 9 10 9 3 8 3 6.5Zm0 0V10c0 1.5 3.1 2.5 7 2.5s7-1 7-2.5V6.5M3 10v3.5C3 15 6.1 16 10 16s7-1 7-2.5V10',
  differences: 'M3 6.5h11m0 0L11 3.5m3 3-3 3M17 13.5H6m0 0 3-3m-3 3 3 3',
  jobs: 'M3.5 5.5h8M3.5 10h5M3.5 14.5h5M11.5 9.5v6.5l5.5-3.25-5.5-3.25Z',
  cash: 'M3 15.5l4.5-5 3 2.5L17 5.5M12.8 5.5H17v4.2M3 17.5h14',
  more: 'M4.5 10h.1M10 10h.1M15.5 10h.1',
  search: 'M9 3.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11Zm4 9.5 4 4',
  filter: 'M3 5h14M6 10h8M8.5 15h3',
  columns: 'M4 4h12v12H4zM8 4v12M12 4v12',
  download: 'M10 3v9m0 0 3.5-3.5M10 12 6.5 8.5M4 16.5h12',
  print: 'M6 7V3.5h8V7M6 13.5H4V8.5A1.5 1.5 0 0 1 5.5 7h9A1.5 1.5 0 0 1 16 8.5v5h-2M6 11.5h8v5H6z',
  star: 'm10 3 2.1 4.5 4.9.6-3.6 3.4.9 4.9-4.3-2.4-4.3 2.4.9-4.9L3 8.1l4.9-.6L10 3Z',
  close: 'M5 5l10 10M15 5 5 15',
  info: 'M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4ZM10 9v4.5M10 6.3v.4',
  left: 'M12.5 4 6.5 10l6 6',
  right: 'm7.5 4 6 6-6 6',
  down: 'm5 7.5 5 5 5-5',
  expand: 'M11.5 3H17v5.5M17 3l-6 6M8.5 17H3v-5.5M3 17l6-6',
  sun: 'M10 6.3a3.7 3.7 0 1 0 0 7.4 3.7 3.7 0 0 0 0-7.4ZM10 1.8v1.6M10 16.6v1.6M1.8 10h1.6M16.6 10h1.6M4.2 4.2l1.1 1.1M14.7 14.7l1.1 1.1M4.2 15.8l1.1-1.1M14.7 5.3l1.1-1.1',
  moon: 'M16.5 11.6A6.8 6.8 0 0 1 8.4 3.5a6.8 6.8 0 1 0 8.1 8.1Z',
  auto: 'M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4Zm0 0v14.4M10 6h4M10 9h6M10 12h5M10 15h2.5',
  refresh: 'M16 10a6 6 0 1 1-1.8-4.3L16 7.5M16 3.5v4h-4',
  pause: 'M7 4.5v11M13 4.5v11',
  play: 'M6.5 4v12l9-6-9-6Z',
  keyboard: 'M3 5.5h14v9H3zM6 8.5h.1M9 8.5h.1M12 8.5h.1M14.5 8.5h.1M6.5 11.8h7',
  admin: 'M10 3 4 5.3v4.2c0 3.6 2.5 6.2 6 7.5 3.5-1.3 6-3.9 6-7.5V5.3L10 3Zm-2.4 7 1.8 1.8 3.2-3.4',
  user: 'M10 3.5a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4ZM3.8 16.8c.6-3 3-4.6 6.2-4.6s5.6 1.6 6.2 4.6',
  link: 'M8.5 11.5a3 3 0 0 0 4.2 0l2.6-2.6a3 3 0 0 0-4.2-4.2l-.9.9M11.5 8.5a3 3 0 0 0-4.2 0l-2.6 2.6a3 3 0 0 0 4.2 4.2l.9-.9',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}

export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" class="logo-ground" />
      <path
        class="logo-water"
        d="M5 12c3.7 0 3.7-3 7.3-3s3.7 3 7.4 3 3.6-3 7.3-3M5 18c3.7 0 3.7-3 7.3-3s3.7 3 7.4 3 3.6-3 7.3-3M5 24c3.7 0 3.7-3 7.3-3s3.7 3 7.4 3 3.6-3 7.3-3"
      />
    </svg>
  );
}
