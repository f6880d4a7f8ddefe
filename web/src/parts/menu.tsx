// A button with a small sheet under it. Escape and a click elsewhere close it; focus goes in and comes back.
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';

import { Icon, type IconName } from './icons';

export type MenuProps = {
  label: string;
  icon?: IconName;
  open: boolean;
  onOpen: (open: boolean) => void;
  align?: 'start' | 'end';
  compact?: boolean; // the label is for screen readers only
  class?: string;
  children: ComponentChildren;
};

const focusable = 'a[href], button:not([disabled]), input, select, [tabindex="0"]';

export function Menu({ label, icon, open, onOpen, align = 'start', compact = false, class: extra = '', children }: MenuProps) {
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();

  // Before the next paint: a key pressed on the open sheet must find its listener.
  useLayoutEffect(() => {
    if (!open) return;
    const sheet = root.current?.querySelector<HTMLElement>('.sheet');
    (sheet?.querySelector<HTMLElement>('[autofocus]') ?? sheet?.querySelector<HTMLElement>(focusable) ?? sheet)?.focus();
    const outside = (event: Event): void => {
      if (root.current !== null && !root.current.contains(event.target as Node)) onOpen(false);
    };
    // Wherever the focus is by now: what it was on may have gone.
    const escape = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape') return;
      event.preventDefault();
      onOpen(false);
      button.current?.focus();
    };
    document.addEventListener('pointerdown', outside);
    document.addEventListener('keydown', escape, { capture: true });
    return () => {
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('keydown', escape, { capture: true });
    };
  }, [open]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (!open) return;
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
    const items = [...(root.current?.querySelectorAll<HTMLElement>(`.sheet :is(${focusable})`) ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const step = event.key === 'ArrowDown' ? 1 : -1;
    items[(at + step + items.length) % items.length]?.focus();
    event.preventDefault();
  };

  return (
    <div class={`menu ${extra}`} ref={root} onKeyDown={onKeyDown}>
      <button
        ref={button}
        type="button"
        class="button"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        aria-label={compact ? label : undefined}
        title={compact ? label : undefined}
        onClick={() => onOpen(!open)}
      >
        {icon !== undefined && <Icon name={icon} />}
        {!compact && <span>{label}</span>}
        {!compact && <Icon name="down" />}
      </button>
      {open && (
        <div class={`sheet sheet-${align}`} id={id} tabIndex={-1}>
          {children}
        </div>
      )}
    </div>
  );
}
