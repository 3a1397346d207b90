/** Edits between two words: insert, delete, replace, or swap neighbours; stops counting above `most`. */
function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      let best = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (isSame ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        best = Math.min(best, (before[column - 2] ?? 0) + 1);
      current.push(best);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** Up to three known names that were probably meant, nearest first. */
function nearNames(wanted: string, known: Iterable<string>): readonly string[] {
  const text = wanted.toLowerCase().slice(0, 100);
  const most = Math.max(1, Math.floor(text.length / 3));
  const found: { readonly name: string; readonly score: number }[] = [];
  for (const name of known) {
    const other = name.toLowerCase();
    const score = text.length >= 3 && other.includes(text) ? 1 : distance(text, other.slice(0, 100), most);
    if (score <= most) found.push({ name, score });
  }
  return found
    .toSorted((a, b) => a.score - b.score || a.name.localeCompare(b.name))
    .slice(0, 3)
    .map(({ name }) => name);
}

/** `Did you mean "a" or "b"?`, or undefined when nothing is near. */
export function didYouMean(wanted: string, known: Iterable<string>): string | undefined {
  const near = nearNames(wanted, known);
  return near.length === 0 ? undefined : `Did you mean ${near.map((name) => `"${name}"`).join(' or ')}?`;
}
