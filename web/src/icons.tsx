/** Drawn here, so that the page needs nothing from elsewhere. All are decoration: the button around one has the name. */
import type { ComponentChildren } from 'preact';
import type { ReactionKind } from '../../src/client/state.ts';

function Icon({ children }: { readonly children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

/** Two circles that meet: the mark of the page and of its favicon. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 64 64" aria-hidden="true" focusable="false">
      <circle class="mark-left" cx="23" cy="32" r="17" />
      <circle class="mark-right" cx="41" cy="32" r="17" />
      <path class="mark-lens" d="M32 17.6a17 17 0 0 1 0 28.8 17 17 0 0 1 0-28.8Z" />
    </svg>
  );
}

export const SendIcon = () => (
  <Icon>
    <path d="M12 19V5m0 0-6 6m6-6 6 6" />
  </Icon>
);

export const StopIcon = () => (
  <Icon>
    <rect class="filled" x="7" y="7" width="10" height="10" rx="2" />
  </Icon>
);

export const DownIcon = () => (
  <Icon>
    <path d="M12 5v14m0 0 6-6m-6 6-6-6" />
  </Icon>
);

export const LeftIcon = () => (
  <Icon>
    <path d="m14.5 6-6 6 6 6" />
  </Icon>
);

export const RightIcon = () => (
  <Icon>
    <path d="m9.5 6 6 6-6 6" />
  </Icon>
);

export const AgainIcon = () => (
  <Icon>
    <path d="M19.5 12a7.5 7.5 0 1 1-2.3-5.4M19.5 4v4.2h-4.2" />
  </Icon>
);

export const PencilIcon = () => (
  <Icon>
    <path d="m5 19 .9-3.9L16.2 4.8a1.9 1.9 0 0 1 2.7 0l.3.3a1.9 1.9 0 0 1 0 2.7L8.9 18.1 5 19Zm9.4-12.4 3 3" />
  </Icon>
);

export const AlertIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="9" />
    <path d="M12 7.5v5.5m0 3v.1" />
  </Icon>
);

export const OfflineIcon = () => (
  <Icon>
    <path d="m4 4 16 16M8.3 8.4A5 5 0 0 0 6.8 18H16m3.6-.8A4 4 0 0 0 17.5 10 6 6 0 0 0 12 6c-.5 0-1 .1-1.4.2" />
  </Icon>
);

export const CloseIcon = () => (
  <Icon>
    <path d="m7 7 10 10M17 7 7 17" />
  </Icon>
);

const thumb =
  'M7 10.5v9m0-9 3.6-7a2.4 2.4 0 0 1 2.9 2.9L12.7 10h5.1a2 2 0 0 1 2 2.4l-1.2 5.5a2 2 0 0 1-2 1.6H4.8V10.5H7Z';
const face = <circle cx="12" cy="12" r="8.5" />;

const reactionShapes: Readonly<Record<ReactionKind, ComponentChildren>> = {
  up: <path d={thumb} />,
  down: <path d={thumb} transform="rotate(180 12 12)" />,
  love: <path d="M12 19.5S4 14.8 4 9.3A4.3 4.3 0 0 1 12 7a4.3 4.3 0 0 1 8 2.3c0 5.5-8 10.2-8 10.2Z" />,
  funny: (
    <>
      {face}
      <path d="M7.8 13.2h8.4a4.2 4.2 0 0 1-8.4 0ZM7.9 9.8c.4-.9 1.8-.9 2.2 0m3.8 0c.4-.9 1.8-.9 2.2 0" />
    </>
  ),
  meaningless: (
    <>
      {face}
      <path d="M9.6 9.6a2.4 2.4 0 1 1 3.4 2.2c-.7.3-1 .8-1 1.5v.4m0 2.8v.1" />
    </>
  ),
  offensive: <path d="M6 20.5V4.2m0 .6c4-2 7.5 2 12 0v9c-4.5 2-8-2-12 0" />,
};

export function ReactionIcon({ kind }: { readonly kind: ReactionKind }) {
  return <Icon>{reactionShapes[kind]}</Icon>;
}
