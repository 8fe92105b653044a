import type { UserSettings } from '../../conversation/stores.ts';
import type { Handler } from '../handler.ts';

export const settingsGet: Handler<'settings:get'> = async ({ session, store }, _payload, ack) => {
  ack({ settings: await store.settings(session.userId) });
};

/** Fields that are not given stay as they are. */
export const settingsSet: Handler<'settings:set'> = async ({ session, store }, payload, ack) => {
  const given = Object.entries(payload).filter(([, value]) => value !== undefined);
  const change = Object.fromEntries(given) as Partial<UserSettings>;
  ack({ settings: await store.changeSettings(session.userId, change) });
};
