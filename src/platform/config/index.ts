export {
  ConfigurationError,
  describeSettings,
  readSettings,
  type SettingName,
  type Settings,
  settings,
} from './config.ts';
