import type { SettingsStore, UserSettings } from '../../conversation/stores.ts';
import type { SettingsDocument } from './documents.ts';
import type { Models } from './models.ts';

/** Nobody has consented to anything who did not say so. */
const defaults: UserSettings = { trainingConsent: false, styleEnabled: true, locale: null, timeZone: null };

export function settingsMethods({ userSettings }: Models): SettingsStore {
  return {
    async settings(userId) {
      const found = await userSettings.findById(userId).lean<SettingsDocument>();
      return found === null ? defaults : toSettings(found);
    },
    async changeSettings(userId, change) {
      const kept = Object.entries(defaults).filter(([name]) => !(name in change));
      const changed = await userSettings
        .findOneAndUpdate(
          { _id: userId },
          { $set: change, $setOnInsert: Object.fromEntries(kept) },
          { upsert: true, returnDocument: 'after' },
        )
        .lean<SettingsDocument>();
      if (changed === null) throw new Error('Settings that were just stored are gone.');
      return toSettings(changed);
    },
  };
}

function toSettings({ _id: _, ...settings }: SettingsDocument): UserSettings {
  return settings;
}
