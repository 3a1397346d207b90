export { ConfigurationError, describeSettings, readSettings, type Settings } from './config.ts';
