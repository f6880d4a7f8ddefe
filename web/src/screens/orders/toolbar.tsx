// The strip above the list: saved views, chips, grouping, columns, export.
import type { ComponentType } from 'preact';
import { useState } from 'preact/hooks';

import { exportAddress, sheetAddress } from '../../api/client';
import { done, toast } from '../../parts/app_state';
import { counted } from '../../parts/format';
import { widthMax, widthMin } from '../../parts/grid/virtual_grid';
import { Icon } from '../../parts/icons';
import { may, seesAll } from '../../parts/me';
import { Menu } from '../../parts/menu';
import {
  type Filter,
  filterLabel,
  groups,
  listAddress,
  type ListState,
  parseListState,
  serverQuery,
  viewQuery,
} from '../../parts/order_filters';
import { navigate } from '../../parts/router';
import { givenViews, putView, savedViews, storeViews } from '../../parts/saved_views';
import type { ColumnSpec } from './columns';
import { fieldOf, sameFilter, showValue } from './fields';
import { FilterEditor } from './filter_editor';
import { printList } from './print_sheet';

export type Density = 28 | 36 | 44;
export const densities: readonly Density[] = [28, 36, 44];
const densityWords: Record<Density, string> = { 28: 'Compact', 36: 'Normal', 44: 'Roomy' };

export type OpenMenu = '' | 'views' | 'filter' | 'columns' | 'export' | `chip${number}`;

export type ToolbarProps = {
  state: ListState;
  currency: string | null;
  specs: ColumnSpec[];
  shown: ColumnSpec[];
  density: Density;
  total: number;
  menu: OpenMenu;
  onMenu: (menu: OpenMenu) => void;
  onState: (state: ListState) => void;
  onDensity: (density: Density) => void;
  onWidth: (column: string, width: number) => void;
};

export function Toolbar(props: ToolbarProps) {
  const { state, currency, menu, onMenu, onState } = props;
  const toggle = (name: OpenMenu) => (open: boolean) => onMenu(open ? name : '');
  const apply = (index: number | null, filter: Filter): void => {
    onMenu('');
    const filters = index === null ? [...state.filters, filter] : state.filters.map((old, at) => (at === index ? filter : old));
    const unique = filters.filter((one, at) => filters.findIndex((other) => sameFilter(one, other)) === at);
    onState({ ...state, filters: unique });
  };
  const clear = (): void => {
    const before = listAddress(state);
    onState({ ...state, filters: [], q: '' });
    done('Filters cleared', () => navigate(before));
  };
  const [Sheet, setSheet] = useState<{ Shown: ComponentType<{ onClose: () => void }> } | null>(null);
  const openSheet = (): void => {
    import('./sheet').then(
      (module) => setSheet({ Shown: module.default }),
      () => toast({ text: 'This part of the page could not be loaded. A new version may be out: reload the page.', tone: 'problem' }),
    );
  };
  const hasFilters = state.filters.length > 0 || state.q !== '';
  return (
    <div class="toolbar no-print" role="group" aria-label="List tools">
      <Menu label="Views" icon="star" open={menu === 'views'} onOpen={toggle('views')}>
        <Views state={state} onDone={() => onMenu('')} />
      </Menu>
      <Menu label="Filter" icon="filter" open={menu === 'filter'} onOpen={toggle('filter')}>
        <FilterEditor filter={null} currency={currency} onApply={(filter) => apply(null, filter)} />
      </Menu>
      {state.filters.map((filter, index) => (
        <Chip
          key={`${filter.name}${index}`}
          filter={filter}
          currency={currency}
          open={menu === `chip${index}`}
          onOpen={toggle(`chip${index}`)}
          onApply={(changed) => apply(index, changed)}
          onRemove={() => onState({ ...state, filters: state.filters.filter((_, at) => at !== index) })}
        />
      ))}
      {state.q !== '' && (
        <span class="chip">
          <span class="chip-text">Search: {state.q}</span>
          <RemoveButton what={`search ${state.q}`} onClick={() => onState({ ...state, q: '' })} />
        </span>
      )}
      {hasFilters && (
        <button type="button" class="button quiet-button" onClick={clear}>
          Clear
        </button>
      )}
      <span class="spring" />
      <label class="inline-label">
        <span>Group</span>
        <select value={state.group} onChange={(event) => onState({ ...state, group: event.currentTarget.value, panel: '' })}>
          <option value="">no groups</option>
          {groups.map((group) => (
            <option key={group} value={group}>
              {group.replace('_', ' ')}
            </option>
          ))}
        </select>
      </label>
      <Menu label="Columns" class="columns-menu" icon="columns" compact align="end" open={menu === 'columns'} onOpen={toggle('columns')}>
        <Columns {...props} />
      </Menu>
      <Menu label="Export" class="export-menu" icon="download" align="end" open={menu === 'export'} onOpen={toggle('export')}>
        <Exports {...props} onDone={() => onMenu('')} onBack={openSheet} />
      </Menu>
      {Sheet !== null && <Sheet.Shown onClose={() => setSheet(null)} />}
    </div>
  );
}

function RemoveButton({ what, onClick }: { what: string; onClick: () => void }) {
  return (
    <button type="button" class="chip-remove" aria-label={`Remove ${what}`} onClick={onClick}>
      <Icon name="close" />
    </button>
  );
}

type ChipProps = {
  filter: Filter;
  currency: string | null;
  open: boolean;
  onOpen: (open: boolean) => void;
  onApply: (filter: Filter) => void;
  onRemove: () => void;
};

function Chip({ filter, currency, open, onOpen, onApply, onRemove }: ChipProps) {
  const field = fieldOf(filter.name);
  const label = filterLabel(filter, field.title, showValue(field.type, currency));
  return (
    <span class="chip">
      <Menu label={label} open={open} onOpen={onOpen}>
        <FilterEditor filter={filter} currency={currency} onApply={onApply} />
      </Menu>
      <RemoveButton what={`filter ${label}`} onClick={onRemove} />
    </span>
  );
}

function Views({ state, onDone }: { state: ListState; onDone: () => void }) {
  const [name, setName] = useState('');
  const query = viewQuery(state);
  const open = (text: string): void => {
    onDone();
    navigate(listAddress({ ...parseListState(text), panel: '' }));
  };
  const save = (): void => {
    if (name.trim() === '') return;
    const before = savedViews.value;
    if (!storeViews(putView(before, { name: name.trim(), query }))) {
      toast({ text: 'This browser keeps nothing: the view lasts until the page is closed.', tone: 'problem' });
      return;
    }
    onDone();
    done(`View “${name.trim()}” saved`, () => void storeViews(before));
  };
  const remove = (view: string): void => {
    const before = savedViews.value;
    storeViews(before.filter((one) => one.name !== view));
    done(`View “${view}” deleted`, () => void storeViews(before));
  };
  return (
    <div class="views">
      <div class="choices" role="group" aria-label="Views">
        <button type="button" class="choice" aria-current={query === ''} onClick={() => open('')}>
          All orders
        </button>
        {givenViews.map((view) => (
          <button type="button" class="choice" key={view.name} aria-current={query === view.query} onClick={() => open(view.query)}>
            {view.name}
          </button>
        ))}
        {savedViews.value.map((view) => (
          <span class="choice-row" key={view.name}>
            <button type="button" class="choice" aria-current={query === view.query} onClick={() => open(view.query)}>
              {view.name}
            </button>
            <RemoveButton what={`view ${view.name}`} onClick={() => remove(view.name)} />
          </span>
        ))}
      </div>
      <form
        class="row view-form"
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <input aria-label="Name of this view" placeholder="Name of this view" value={name} onInput={(event) => setName(event.currentTarget.value)} />
        <button type="submit" class="button primary" disabled={query === ''}>
          Save
        </button>
      </form>
      <p class="quiet small-text">A view is its address: filters, sort, columns and grouping. Kept in this browser.</p>
    </div>
  );
}

function Columns({ state, specs, shown, density, onState, onDensity, onWidth }: ToolbarProps) {
  const names = shown.map((spec) => spec.id);
  const flip = (id: string): void => {
    const next = names.includes(id) ? names.filter((name) => name !== id) : [...names, id];
    if (next.length > 0) onState({ ...state, columns: next });
  };
  return (
    <div class="columns-sheet">
      <div class="row" role="group" aria-label="Row height">
        {densities.map((one) => (
          <button type="button" class="button small" key={one} aria-pressed={density === one} onClick={() => onDensity(one)}>
            {densityWords[one]}
          </button>
        ))}
      </div>
      <ul class="column-list">
        {specs.map((spec) => (
          <li key={spec.id}>
            <label>
              <input type="checkbox" checked={names.includes(spec.id)} onChange={() => flip(spec.id)} /> {spec.title}
            </label>
            {names.includes(spec.id) && (
              <span class="row">
                <button type="button" class="icon-button" aria-label={`${spec.title} narrower`} disabled={spec.width <= widthMin} onClick={() => onWidth(spec.id, spec.width - 24)}>
                  −
                </button>
                <button type="button" class="icon-button" aria-label={`${spec.title} wider`} disabled={spec.width >= widthMax} onClick={() => onWidth(spec.id, spec.width + 24)}>
                  +
                </button>
              </span>
            )}
          </li>
        ))}
      </ul>
      <div class="row row-end">
        <button type="button" class="button small" onClick={() => onState({ ...state, columns: null })}>
          Usual columns
        </button>
      </div>
    </div>
  );
}

function Exports({ state, shown, currency, total, onDone, onBack }: ToolbarProps & { onDone: () => void; onBack: () => void }) {
  const query = serverQuery(state);
  const kinds = [
    { format: 'csv', word: 'CSV', query },
    { format: 'csv', word: 'CSV for Excel (; and decimal comma)', query: [query, 'bom=1&sep=%3B&decimal=%2C'].filter(Boolean).join('&') },
    { format: 'xlsx', word: 'XLSX', query },
    { format: 'ndjson', word: 'JSON lines', query },
  ] as const;
  return (
    <div class="exports">
      <p class="small-text quiet">All {counted(total, 'order')} of this filter, in this order.</p>
      <div class="choices">
        {kinds.map((kind) => (
          <a class="choice" key={kind.word} href={exportAddress(kind.format, kind.query)} download="" onClick={onDone}>
            {kind.word}
          </a>
        ))}
        <button
          type="button"
          class="choice"
          onClick={() => {
            onDone();
            printList(state, shown, currency).catch((error: Error) => toast({ text: error.message, tone: 'problem' }));
          }}
        >
          Print
        </button>
      </div>
      {may('edit_orders') && seesAll() && (
        <>
          <p class="small-text quiet">Promises, priorities, notes and own columns, written in Excel:</p>
          <div class="choices">
            <a class="choice" href={sheetAddress(query)} download="" onClick={onDone}>
              Excel sheet to write into
            </a>
            <button
              type="button"
              class="choice"
              onClick={() => {
                onDone();
                onBack();
              }}
            >
              Bring a written sheet back…
            </button>
          </div>
        </>
      )}
    </div>
  );
}

