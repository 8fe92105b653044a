import type { ConnectionState } from '../../src/client/state.ts';
import type { Chat } from './chat.ts';
import { Mark } from './icons.tsx';
import { companionName } from './words.ts';

const statusWords: Readonly<Record<ConnectionState['state'], string>> = {
  connecting: 'connecting…',
  online: 'online',
  offline: 'offline',
  refused: 'not connected',
  closed: 'not connected',
};

export function Header({ chat }: { readonly chat: Chat }) {
  const { state } = chat.state.value.connection;
  return (
    <header class="header">
      <div class="header-inner">
        <span class="avatar">
          <Mark />
        </span>
        <div class="who">
          <h1>{companionName}</h1>
          <p class="status">
            <span class={`dot is-${state}`} />
            AI companion <span aria-hidden="true">·</span> <span role="status">{statusWords[state]}</span>
          </p>
        </div>
      </div>
    </header>
  );
}
