import type { Chat } from './chat.ts';
import { Mark } from './icons.tsx';
import { companionName, suggestions } from './words.ts';

export function Welcome({ chat }: { readonly chat: Chat }) {
  return (
    <div class="welcome">
      <Mark />
      <h2>Hi, I’m {companionName}.</h2>
      <p>I’m an AI companion. Tell me about your day, or start with one of these.</p>
      <ul class="suggestions">
        {suggestions.map((text) => (
          <li key={text}>
            <button type="button" class="chip" onClick={() => chat.client.send(text)}>
              {text}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
