import { useRef } from 'preact/hooks';
import type { Chat } from './chat.ts';
import { DownIcon } from './icons.tsx';
import { MessageItem } from './message-item.tsx';
import { toRows } from './rows.ts';
import { useScroll } from './use-scroll.ts';
import { Welcome } from './welcome.tsx';
import { companionName } from './words.ts';

export function Conversation({ chat }: { readonly chat: Chat }) {
  const scroller = useRef<HTMLElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const { isAtBottom, hasNews, jumpToLatest } = useScroll({ scroller, content }, chat);
  const messages = chat.messages.value;
  const { loaded, loadingOlder } = chat.state.value;

  return (
    <div class="conversation">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section class="scroller" ref={scroller} aria-label="Conversation" tabIndex={0}>
        <div class="content" ref={content}>
          {!loaded && messages.length === 0 && <Loading />}
          {loaded && messages.length === 0 && <Welcome chat={chat} />}
          <ol class="messages">
            {toRows(messages).map((row) => (
              <MessageItem key={row.key} row={row} chat={chat} />
            ))}
            {chat.isThinking.value && <Thinking />}
          </ol>
        </div>
      </section>
      {loadingOlder && <p class="older">Loading older messages…</p>}
      {!isAtBottom && messages.length > 0 && (
        <button type="button" class={hasNews ? 'pill has-news' : 'pill'} onClick={jumpToLatest}>
          <DownIcon />
          <span class={hasNews ? undefined : 'visually-hidden'}>
            {hasNews ? 'New messages' : 'Go to the latest message'}
          </span>
        </button>
      )}
    </div>
  );
}

function Thinking() {
  return (
    <li class="message is-companion thinking">
      <div class="bubble">
        <span class="visually-hidden">{companionName} is writing</span>
        <span class="dots" aria-hidden="true">
          <i />
          <i />
          <i />
        </span>
      </div>
    </li>
  );
}

/** Grey bubbles in the place of the history that is on its way. */
function Loading() {
  return (
    <div class="loading" role="status">
      <span class="visually-hidden">Loading the conversation</span>
      <i />
      <i />
      <i />
    </div>
  );
}
