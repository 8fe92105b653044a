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
  const find = connection.prepare<SettingsRow>('SELECT * FROM user_settings WHERE user_id = ?');
  const put = connection.prepare(
    `INSERT INTO user_settings (user_id, training_consent, style_enabled, locale, time_zone)
     VALUES (:userId, :trainingConsent, :styleEnabled, :locale, :timeZone)
     ON CONFLICT DO UPDATE SET training_consent = excluded.training_consent, style_enabled = excluded.style_enabled,
       locale = excluded.locale, time_zone = excluded.time_zone`,
  );
  const read = (userId: string): UserSettings => {
    const row = find.first([userId]);
    return row === undefined ? defaults : toSettings(row);
  };

  return {
    async settings(userId) {
      return connection.read(() => read(userId));
    },
    async changeSettings(userId, change) {
      return connection.write(() => {
        const changed = { ...read(userId), ...change };
        put.run({
          ...{ userId, locale: changed.locale, timeZone: changed.timeZone },
          ...{ trainingConsent: Number(changed.trainingConsent), styleEnabled: Number(changed.styleEnabled) },
        });
        return changed;
      });
    },
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
