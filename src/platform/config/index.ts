export { readBackupPassphrase, readClientSettings, type ClientSettings } from './client-settings.ts';
export { ConfigurationError, describeSettings, readSettings, type Settings } from './config.ts';
