// A modal on the browser's own <dialog>: focus trap, Escape and the way back come with it.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

import { Icon } from './icons';

export type DialogProps = {
  title: string;
  class?: string;
  bare?: boolean; // no title bar; the title is for screen readers
  onClose: () => void;
  children: ComponentChildren;
};

export function Dialog({ title, class: extra = '', bare = false, onClose, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const before = document.activeElement;
    ref.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class={`dialog ${extra}`}
      aria-label={title}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === ref.current) ref.current?.close(); // the backdrop
      }}
    >
      <div class="dialog-body">
        {!bare && (
          <div class="dialog-head">
            <h2>{title}</h2>
            <button type="button" class="icon-button" aria-label="Close" onClick={() => ref.current?.close()}>
              <Icon name="close" />
            </button>
          </div>
        )}
        {children}
      </div>
    </dialog>
  );
}

export type ConfirmProps = {
  title: string;
  text: ComponentChildren;
  yes: string;
  no?: string; // "Cancel" would be ambiguous where something is cancelled
  onYes: () => void;
  onClose: () => void;
};

export function Confirm({ title, text, yes, no = 'Cancel', onYes, onClose }: ConfirmProps) {
  return (
    <Dialog title={title} class="confirm" onClose={onClose}>
      <div class="dialog-text">{text}</div>
      <div class="row row-end">
        <button type="button" class="button" autofocus onClick={onClose}>
          {no}
        </button>
        <button
          type="button"
          class="button danger"
          onClick={() => {
            onYes();
            onClose();
          }}
        >
          {yes}
        </button>
      </div>
    </Dialog>
  );
}
