export { isJsonObject, numberText, parseJson, rawNumber, setKey } from './exact-json.ts';
