import { type Actor, admit } from '#access';
import { generalSettings } from './settings-operations.ts';

export type SettingsService = {
  general(actor: Actor, input: unknown): Promise<{ readonly version: string }>;
};

export function createSettingsService({ version }: { readonly version: string }): SettingsService {
  return {
    async general(actor, input) {
      admit(actor, generalSettings, input);
      return { version };
    },
  };
}
