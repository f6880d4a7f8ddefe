// All shortcuts on one sheet, from the same table that binds them.
import { useState } from 'preact/hooks';

import { Dialog } from './dialog';
import { setSingleKeys, singleKeysOn } from './keys';
import { type Scope, scopeTitles, shortcuts } from './shortcuts';

const gridKeys: readonly [string, string][] = [
  ['↑ ↓ ← →', 'Move through the list'],
  ['Home End', 'First, last cell; with Ctrl first, last row'],
  ['Space', 'Select; on a title: sort'],
  ['Shift Enter', 'On a title: sort by this column too'],
  ['Shift ← →', 'On a title: column narrower, wider'],
  ['Ctrl C', 'Copy the selection as a table'],
];

const chartKeys: readonly [string, string][] = [
  ['← →', 'Move the cursor through a chart; its values are said'],
  ['Home End', 'First, last point'],
  ['Enter', 'The documents of this point'],
];

const words = (key: string): string[] => key.replace('Mod+', 'Ctrl ').replace('Escape', 'Esc').split(' ');

function Keys({ text }: { text: string }) {
  return (
    <span class="keys">
      {words(text).map((key, at) => (
        <kbd key={at}>{key}</kbd>
      ))}
    </span>
  );
}

// Keys that a control has while the focus is on it.
function OwnKeys({ title, keys }: { title: string; keys: readonly [string, string][] }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl>
        {keys.map(([text, meaning]) => (
          <div key={text}>
            <dt>{meaning}</dt>
            <dd>
              <Keys text={text} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

export default function ShortcutSheet({ onClose }: { onClose: () => void }) {
  const [on, setOn] = useState(singleKeysOn());
  return (
    <Dialog title="Keyboard shortcuts" class="shortcut-sheet" onClose={onClose}>
      <div class="shortcut-groups">
        {(Object.keys(scopeTitles) as Scope[]).map((scope) => (
          <section key={scope}>
            <h3>{scopeTitles[scope]}</h3>
            <dl>
              {shortcuts
                .filter((shortcut) => shortcut.scope === scope)
                .map((shortcut) => (
                  <div key={shortcut.command}>
                    <dt>{shortcut.title}</dt>
                    <dd>
                      <Keys text={shortcut.keys[0] ?? ''} />
                    </dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
        <OwnKeys title="Inside the order list" keys={gridKeys} />
        <OwnKeys title="On a chart" keys={chartKeys} />
      </div>
      <label class="inline-label">
        <input
          type="checkbox"
          checked={on}
          onChange={(event) => {
            setOn(event.currentTarget.checked);
            setSingleKeys(event.currentTarget.checked);
          }}
        />
        <span>Single-key shortcuts (switch off when you dictate)</span>
      </label>
    </Dialog>
  );
}
