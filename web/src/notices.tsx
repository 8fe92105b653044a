import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ConversationFault } from '../../src/client/state.ts';
import type { Chat } from './chat.ts';
import { AlertIcon, CloseIcon, OfflineIcon } from './icons.tsx';
import { faultText } from './words.ts';

const toneIcons = {
  offline: <OfflineIcon />,
  calm: <span class="spinner" aria-hidden="true" />,
  trouble: <AlertIcon />,
} as const;

interface NoticeProps {
  readonly text: string;
  readonly tone: keyof typeof toneIcons;
  readonly action?: { readonly label: string; readonly run: () => void };
  readonly onClose?: () => void;
}

function Notice({ text, tone, action, onClose }: NoticeProps) {
  return (
    <div class={`notice is-${tone}`} role={tone === 'trouble' ? 'alert' : 'status'}>
      {toneIcons[tone]}
      <p>{text}</p>
      {action && (
        <button type="button" class="text-button" onClick={action.run}>
          {action.label}
        </button>
      )}
      {onClose && (
        <button type="button" class="icon-button" aria-label="Dismiss" onClick={onClose}>
          <CloseIcon />
        </button>
      )}
    </div>
  );
}

const aboutWords: Readonly<Record<ConversationFault['about'], string>> = {
  open: 'The conversation could not be loaded.',
  history: 'Older messages could not be loaded.',
  reaction: 'Your reaction was not saved.',
  stop: 'The reply could not be stopped.',
  choose: 'The other answer could not be chosen.',
  branch: 'The other version could not be shown.',
};

function retryOf(about: ConversationFault['about'], chat: Chat): NoticeProps['action'] {
  const { client } = chat;
  if (about === 'open') return { label: 'Try again', run: () => void client.reload() };
  if (about === 'history') return { label: 'Try again', run: () => void client.loadOlder() };
  return undefined;
}

/** Whether the device itself says that it has no network. */
function useDeviceOffline(): boolean {
  const isOffline = useSignal(!navigator.onLine);
  useEffect(() => {
    const note = () => {
      isOffline.value = !navigator.onLine;
    };
    window.addEventListener('online', note);
    window.addEventListener('offline', note);
    return () => {
      window.removeEventListener('online', note);
      window.removeEventListener('offline', note);
    };
  }, [isOffline]);
  return isOffline.value;
}

export function Notices({ chat }: { readonly chat: Chat }) {
  const { connection, fault } = chat.state.value;
  const isDeviceOffline = useDeviceOffline();
  const tryNow = { label: 'Try now', run: () => chat.client.reconnect() };
  if (connection.state === 'refused') {
    return <Notice tone="trouble" text={faultText(connection.error)} action={tryNow} />;
  }
  if (connection.state === 'offline') {
    return isDeviceOffline ? (
      <Notice tone="offline" text="You are offline. What you write is sent when you are back." />
    ) : (
      <Notice tone="calm" text="Connection lost. Reconnecting…" action={tryNow} />
    );
  }
  if (fault === null) return null;
  const action = retryOf(fault.about, chat);
  return (
    <Notice
      tone="trouble"
      text={`${aboutWords[fault.about]} ${faultText(fault.error)}`}
      onClose={chat.client.clearFault}
      {...(action === undefined ? {} : { action })}
    />
  );
}
