import { type Actor, admit } from '#access';
import type { AuditRecorder } from '#audit';
import type { Database } from '#platform/postgres';
import { generalSettings, updateGeneralSettings } from './settings-operations.ts';
import { findAllowedOrigins, saveAllowedOrigins } from './settings-store.ts';

type GeneralSettings = { readonly version: string; readonly allowedOrigins: readonly string[] };

export type SettingsService = {
  general(actor: Actor, input: unknown): Promise<GeneralSettings>;
  update(actor: Actor, input: unknown): Promise<GeneralSettings>;
};

type Deps = { readonly version: string; readonly database: Database; readonly audit: AuditRecorder };

export function createSettingsService({ version, database, audit }: Deps): SettingsService {
  return {
    async general(actor, input) {
      admit(actor, generalSettings, input);
      return { version, allowedOrigins: await database.withTenant(actor.tenantId, findAllowedOrigins) };
    },
    async update(actor, input) {
      const { allowedOrigins } = admit(actor, updateGeneralSettings, input);
      return database.withTenant(actor.tenantId, async (tx) => {
        if (allowedOrigins) await saveAllowedOrigins(tx, [...new Set(allowedOrigins)]);
        await audit.record(tx, actor, updateGeneralSettings, {
          target: { kind: 'tenant', id: actor.tenantId },
          parameters: { allowedOrigins },
        });
        return { version, allowedOrigins: await findAllowedOrigins(tx) };
      });
    },
  };
}
