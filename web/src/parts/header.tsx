// The header: whose data, search, how fresh, light or dark.
import { useEffect, useRef, useState } from 'preact/hooks';

import { answerTime } from '../api/client';
import { company, connection, heardSources, lastAnswer, now, offlineSince } from './app_state';
import { Mark } from './basics';
import { formatAge, formatClock, formatInstant, formatMinute } from './format';
import { freshness } from './freshness';
import { Icon, Logo } from './icons';
import { emptyList, listAddress, parseListState } from './order_filters';
import { commitTyping, navigate, route } from './router';
import { nextTheme, setTheme, theme } from './theme';
import { UserMenu } from './user_menu';

const typingPauseMax = 120; // milliseconds

// The search of the order list. On the list it filters while one types; elsewhere Enter goes there.
function Search() {
  const onList = route.value.path === '/orders';
  const state = onList ? parseListState(route.value.search) : emptyList;
  const [text, setText] = useState(state.q);
  const before = useRef<string | null>(null); // the address when typing began
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const shown = useRef(state.q);
  const input = useRef<HTMLInputElement>(null);
  // What is in the box now: Enter may come before the state of the last letter has been drawn.
  const typed = (): string => input.current?.value ?? text;
  useEffect(() => {
    // Back, a chip or a view changed the search.
    if (state.q !== shown.current) {
      shown.current = state.q;
      setText(state.q);
    }
  }, [state.q]);

  const show = (value: string): void => {
    if (route.value.path !== '/orders') return;
    shown.current = value.trim();
    navigate(listAddress({ ...parseListState(route.value.search), q: value.trim(), panel: '' }), { replace: true });
  };
  const type = (value: string): void => {
    setText(value);
    if (!onList) return;
    before.current ??= location.pathname + location.search;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => show(value), Math.min(answerTime(), typingPauseMax));
  };
  const commit = (): void => {
    clearTimeout(timer.current);
    if (onList) {
      if (before.current === null) return;
      show(typed());
      commitTyping(before.current);
      before.current = null;
    }
  };
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        if (onList) commit();
        else if (typed().trim() !== '') navigate(listAddress({ ...emptyList, q: typed().trim() }));
      }}
    >
      <Icon name="search" />
      <input
        ref={input}
        id="search"
        type="search"
        aria-label="Search orders"
        placeholder="Search orders"
        autocomplete="off"
        value={text}
        onInput={(event) => type(event.currentTarget.value)}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur();
        }}
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
}

function FreshnessDot() {
  const worst = freshness(heardSources.value, now.value);
  if (connection.value === 'offline') {
    return (
      <a class="freshness" href="/sources" aria-label="No connection to the server. Open sources">
        <Mark tone="poor">offline</Mark>
      </a>
    );
  }
  if (worst === null) {
    return (
      <a class="freshness" href="/sources">
        <Mark tone="idle">no source yet</Mark>
      </a>
    );
  }
  const age = worst.ageSeconds === null ? '' : formatAge(worst.ageSeconds);
  const many = heardSources.value.length > 1;
  return (
    <a class="freshness" href="/sources" title={`${worst.source}: ${worst.text}. As of ${formatInstant(lastAnswer.value?.time ?? null)}`}>
      <Mark tone={worst.word}>{worst.word === 'good' && many ? 'all fresh' : worst.text}</Mark>
      {age !== '' && <span class="num quiet freshness-age"> {age}</span>}
    </a>
  );
}

const themeIcons = { auto: 'auto', light: 'sun', dark: 'moon' } as const;

export function Header({ onPalette, onHelp }: { onPalette: () => void; onHelp: () => void }) {
  return (
    <header class="header no-print">
      <a class="brand" href="/">
        <Logo />
        <span class="brand-text">
          <strong>Millrace</strong>
          {company.value !== '' && <span class="quiet company">{company.value}</span>}
        </span>
      </a>
      <Search />
      <button type="button" class="button palette-button" onClick={onPalette}>
        <span class="palette-word">Go to…</span>
        <kbd aria-hidden="true">Ctrl K</kbd>
      </button>
      <span class="spring" />
      <FreshnessDot />
      <button type="button" class="icon-button desktop-only" aria-label="Keyboard shortcuts" title="Keyboard shortcuts  ?" onClick={onHelp}>
        <Icon name="keyboard" />
      </button>
      <button type="button" class="icon-button" aria-label={`Theme: ${theme.value}. Change`} title={`Theme: ${theme.value}  d`} onClick={() => setTheme(nextTheme(theme.value))}>
        <Icon name={themeIcons[theme.value]} />
      </button>
      <UserMenu />
    </header>
  );
}

export function OfflineBanner() {
  if (connection.value !== 'offline' || offlineSince.value === null) return null;
  const shown = lastAnswer.value;
  return (
    <p class="offline" role="status">
      Offline since {formatMinute(offlineSince.value)}
      {shown === null ? '. No data was loaded yet.' : `, showing ${formatClock(shown.time)} data.`} Trying again by itself.
    </p>
  );
}
