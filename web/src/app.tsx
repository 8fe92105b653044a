import { useEffect } from 'preact/hooks';
import { Announcer } from './announcer.tsx';
import type { Chat } from './chat.ts';
import { Composer } from './composer.tsx';
import { Conversation } from './conversation.tsx';
import { Header } from './header.tsx';
import { Notices } from './notices.tsx';

export function App({ chat }: { readonly chat: Chat }) {
  useEffect(() => {
    const stopOnEscape = (event: KeyboardEvent) => {
      const running = chat.running.peek();
      if (event.key !== 'Escape' || event.defaultPrevented || running === null) return;
      event.preventDefault();
      void chat.client.stop(running.generationId);
    };
    document.addEventListener('keydown', stopOnEscape);
    return () => document.removeEventListener('keydown', stopOnEscape);
  }, [chat]);

  return (
    <div class="page">
      <Header chat={chat} />
      <main class="talk">
        <Conversation chat={chat} />
        <div class="dock">
          <Notices chat={chat} />
          <Composer chat={chat} />
        </div>
      </main>
      <Announcer chat={chat} />
    </div>
  );
}
