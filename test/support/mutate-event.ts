/** Changes of events that keep their structure in mind: what a sender, a schema or an attacker might do to them. */
type Json = Readonly<Record<string, unknown>>;
type Slot = { readonly holder: Record<string, unknown>; readonly key: string };

const oddValues: readonly unknown[] = [
  null, true, false, 0, 1, -1, 2, 1.5, 1e30, 2 ** 53 + 2, '', 'a', 'x', '0', 'True', 'É', '\u212a', ' a ',
  [], {}, [null], ['a'], [['a']], [{}], { a: 1 }, [1, 'x', true],
]; // prettier-ignore

function slotsOf(value: unknown, found: Slot[] = []): readonly Slot[] {
  if (typeof value !== 'object' || value === null) return found;
  const holder = value as Record<string, unknown>;
  for (const key of Object.keys(holder)) {
    found.push({ holder, key });
    slotsOf(holder[key], found);
  }
  return found;
}

/** One of some values. */
export function choose<T>(values: readonly T[], random: () => number): T | undefined {
  return values[Math.floor(random() * values.length)];
}

function remove({ holder, key }: Slot): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
}

function rename({ holder, key }: Slot, random: () => number): void {
  const value = holder[key];
  if (Array.isArray(holder)) return;
  delete holder[key];
  holder[random() < 0.5 ? key.toUpperCase() : key.toLowerCase()] = value;
}

function bend({ holder, key }: Slot, random: () => number): void {
  const value = holder[key];
  if (typeof value === 'string') holder[key] = random() < 0.5 ? value.toUpperCase() : value.slice(0, -1);
  else if (typeof value === 'number') holder[key] = value + (random() < 0.5 ? 1 : -1);
  else holder[key] = [value];
}

/** A changed copy: fields removed, renamed by case, given odd values or values of other events. */
export function mutateEvent(event: Json, others: readonly Json[], random: () => number): Json {
  const copy = structuredClone(event);
  for (let left = 1 + Math.floor(random() * 3); left > 0; left--) {
    const slot = choose(slotsOf(copy), random);
    if (slot === undefined) return copy;
    const dice = random();
    const donor = choose(slotsOf(choose(others, random)), random);
    if (dice < 0.25) remove(slot);
    else if (dice < 0.55) slot.holder[slot.key] = structuredClone(choose(oddValues, random));
    else if (dice < 0.65) rename(slot, random);
    else if (dice < 0.8 && donor) slot.holder[slot.key] = structuredClone(donor.holder[donor.key]);
    else if (dice < 0.9 && donor) slot.holder[donor.key] = structuredClone(choose(oddValues, random));
    else bend(slot, random);
  }
  return copy;
}
