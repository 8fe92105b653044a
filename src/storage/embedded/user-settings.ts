import type { SettingsStore, UserSettings } from '../../conversation/stores.ts';
import type { Connection } from './connection.ts';

interface SettingsRow {
  readonly training_consent: number;
  readonly style_enabled: number;
  readonly locale: string | null;
  readonly time_zone: string | null;
}

/** Nobody has consented to anything who did not say so. */
const defaults: UserSettings = { trainingConsent: false, styleEnabled: true, locale: null, timeZone: null };

export function settingsMethods(connection: Connection): SettingsStore {
  const rows = prepareSettings(connection);
  return {
    async settings(userId) {
      return connection.read(() => rows.find(userId) ?? defaults);
    },
    async changeSettings(userId, change) {
      return connection.write(() => {
        const changed = { ...(rows.find(userId) ?? defaults), ...change };
        rows.put(userId, changed);
        return changed;
      });
    },
  };
}

/** To be called inside a transaction. */
export function prepareSettings(connection: Connection) {
  const find = connection.prepare<SettingsRow>('SELECT * FROM user_settings WHERE user_id = ?');
  const put = connection.prepare(
    `INSERT INTO user_settings (user_id, training_consent, style_enabled, locale, time_zone)
     VALUES (:userId, :trainingConsent, :styleEnabled, :locale, :timeZone)
     ON CONFLICT DO UPDATE SET training_consent = excluded.training_consent, style_enabled = excluded.style_enabled,
       locale = excluded.locale, time_zone = excluded.time_zone`,
  );
  const remove = connection.prepare('DELETE FROM user_settings WHERE user_id = ?');
  return {
    find(userId: string): UserSettings | null {
      const row = find.first([userId]);
      return row === undefined ? null : toSettings(row);
    },
    put: (userId: string, { trainingConsent, styleEnabled, locale, timeZone }: UserSettings) =>
      put.run({
        ...{ userId, locale, timeZone },
        ...{ trainingConsent: Number(trainingConsent), styleEnabled: Number(styleEnabled) },
      }),
    remove: (userId: string) => remove.run([userId]),
  };
}

function toSettings(row: SettingsRow): UserSettings {
  return {
    trainingConsent: row.training_consent === 1,
    styleEnabled: row.style_enabled === 1,
    locale: row.locale,
    timeZone: row.time_zone,
  };
}
