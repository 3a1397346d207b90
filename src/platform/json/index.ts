export { isJsonObject, numberText, parseJson, rawNumber } from './exact-json.ts';
