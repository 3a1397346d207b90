import { badInput } from '#platform/errors';

/** Whether text can be stored: it holds no NUL and no half of a surrogate pair. */
const isStorable = (text: string): boolean => !text.includes('\u0000') && text.isWellFormed();

/**
 * Throws DomainError `bad_input` when any text in the value, names included, cannot be stored. The field is the way to
 * it, below `within`.
 */
export function refuseUnstorable(value: unknown, within = ''): void {
  if (typeof value === 'string') {
    const field = within === '' ? 'input' : within;
    if (!isStorable(value)) throw badInput(field, `${field}: holds characters that no text may have`);
  } else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    for (const [key, inner] of Object.entries(value)) {
      refuseUnstorable(key, within);
      refuseUnstorable(inner, within === '' ? key : `${within}.${key}`);
    }
  }
}
