/** Tables in memory with transactions as Postgres has them at READ COMMITTED: row locks, waiting, tenants kept apart. */

export type Row = Readonly<Record<string, unknown>>;

/** Columns of the primary key, then of other unique keys. */
const keysOf: Readonly<Record<string, readonly (readonly string[])[]>> = {
  log_sources: [['tenant_id', 'id']],
  log_schemas: [['tenant_id', 'name']],
  log_schema_revisions: [['tenant_id', 'name', 'revision']],
  batches: [['tenant_id', 'id']],
  batch_idempotency_keys: [['tenant_id', 'source_id', 'key']],
  content_heads: [['tenant_id']],
  detections: [['tenant_id', 'id']],
  detection_versions: [['tenant_id', 'detection_id', 'version']],
  detection_cache: [['tenant_id', 'key']],
  detection_revisions: [['tenant_id', 'revision']],
  detection_statistics: [['tenant_id', 'detection_id', 'hour']],
  batch_evaluations: [['tenant_id', 'batch_id']],
  lake_tables: [
    ['tenant_id', 'id'],
    ['tenant_id', 'family', 'log_type'],
  ],
  lake_chunks: [
    ['tenant_id', 'id'],
    ['tenant_id', 'batch_id', 'table_id'],
  ],
  lake_loads: [['tenant_id', 'id']],
  alerts: [['tenant_id', 'id']],
  alert_windows: [['tenant_id', 'id']],
  alert_deliveries: [
    ['tenant_id', 'id'],
    ['tenant_id', 'alert_id', 'destination_id', 'kind'],
  ],
  alert_delivery_attempts: [['tenant_id', 'delivery_id', 'attempt']],
  destinations: [['tenant_id', 'id']],
  outbox_jobs: [['id']],
  worker_places: [['worker_id']],
  system_errors: [['tenant_id', 'id']],
};

export class ModelError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

type Lock = { holder: Transaction; readonly waiting: { readonly tx: Transaction; readonly wake: () => void }[] };

const primaryKeys = (table: string): readonly string[] => {
  const columns = keysOf[table]?.[0];
  if (columns === undefined) throw new Error(`The model has no table "${table}".`);
  return columns;
};
const isKey = (columns: readonly string[], wanted: string | undefined): boolean => columns.join(',') === wanted;
const valuesOf = (row: Row, columns: readonly string[]): string => columns.map((name) => String(row[name])).join('/');

/** What is committed, and who holds which row. */
export class Tables {
  readonly rows = new Map<string, Map<string, Row>>();
  readonly locks = new Map<string, Lock>();
  /** Told after each commit with the rows it added or changed. */
  readonly onCommit = new Set<(written: ReadonlyMap<string, ReadonlyMap<string, Row | null>>) => void>();
  deadlocks = 0;
  sequence = 0;

  of(table: string): Map<string, Row> {
    let rows = this.rows.get(table);
    if (rows === undefined) this.rows.set(table, (rows = new Map()));
    return rows;
  }

  list(table: string): readonly Row[] {
    return [...this.of(table).values()];
  }

  /** Puts a row there from outside, before anything runs. */
  seed(table: string, row: Row): void {
    this.of(table).set(valuesOf(row, primaryKeys(table)), row);
  }
}

type Options = {
  readonly tables: Tables;
  readonly tenantId: string | undefined;
  readonly now: Date;
  /** Calls back later in the name of the transaction's process. */
  readonly resume: (wake: () => void) => void;
};

type Where = (row: Row) => boolean;

export class Transaction {
  readonly now: Date;
  readonly tenantId: string | undefined;
  readonly notices = new Set<string>();
  readonly #tables: Tables;
  readonly #resume: Options['resume'];
  readonly #writes = new Map<string, Map<string, Row | null>>();
  readonly #held = new Set<string>();
  waitsFor: string | undefined;
  isOver = false;

  constructor({ tables, tenantId, now, resume }: Options) {
    this.#tables = tables;
    this.tenantId = tenantId;
    this.now = now;
    this.#resume = resume;
  }

  get hasChanges(): boolean {
    return this.#writes.size > 0;
  }

  nextSequence(): number {
    return (this.#tables.sequence += 1);
  }

  /** Rows that this transaction sees: committed ones of its tenant, and its own changes. */
  select(table: string, where: Where = () => true): Row[] {
    const own = this.#writes.get(table);
    const found: Row[] = [];
    const take = (row: Row): void => {
      if ((this.tenantId === undefined || row['tenant_id'] === this.tenantId) && where(row)) found.push(row);
    };
    for (const [key, row] of this.#tables.of(table)) if (!own?.has(key)) take(row);
    if (own) for (const row of own.values()) if (row !== null) take(row);
    return found;
  }

  #read(table: string, key: string): Row | undefined {
    const own = this.#writes.get(table)?.get(key);
    return own === undefined ? this.#tables.of(table).get(key) : (own ?? undefined);
  }

  #write(table: string, row: Row, isDeleted = false): void {
    if (this.tenantId !== undefined && row['tenant_id'] !== this.tenantId)
      throw new ModelError('42501', `Row security keeps "${table}" rows of another tenant from being written.`);
    let own = this.#writes.get(table);
    if (own === undefined) this.#writes.set(table, (own = new Map()));
    own.set(valuesOf(row, primaryKeys(table)), isDeleted ? null : row);
  }

  /** Takes a lock that ends with the transaction. False when it is taken and `skips`. */
  async lock(name: string, skips = false): Promise<boolean> {
    while (!this.isOver) {
      const known = this.#tables.locks.get(name);
      if (known === undefined) {
        this.#tables.locks.set(name, { holder: this, waiting: [] });
        this.#held.add(name);
        return true;
      }
      if (known.holder === this) return true;
      if (skips) return false;
      this.#refuseCircle(name);
      this.waitsFor = name;
      await new Promise<void>((resolve) => known.waiting.push({ tx: this, wake: () => this.#resume(resolve) }));
      this.waitsFor = undefined;
    }
    throw new ModelError('08006', 'The transaction is over.');
  }

  #refuseCircle(wanted: string): void {
    for (let name: string | undefined = wanted; name !== undefined;) {
      const holder: Transaction | undefined = this.#tables.locks.get(name)?.holder;
      if (holder === this) {
        this.#tables.deadlocks += 1;
        throw new ModelError('40P01', 'deadlock detected');
      }
      name = holder?.waitsFor;
    }
  }

  /** Inserts; a row with the same key stays (`undefined` is returned) or becomes what `merge` says. */
  async insert(
    table: string,
    row: Row,
    onConflict: 'nothing' | 'error' | ((old: Row) => Row | undefined) = 'error',
    /** Columns of the one key whose conflict is meant; all keys when absent. */
    target?: string,
  ): Promise<Row | undefined> {
    const keys = keysOf[table] ?? [];
    for (const columns of keys.toSorted((a, b) => Number(isKey(b, target)) - Number(isKey(a, target)))) {
      const values = valuesOf(row, columns);
      const name = `${table}:${columns.join(',')}:${values}`;
      const isNewLock = !this.#held.has(name);
      await this.lock(name);
      const same = (other: Row): boolean => valuesOf(other, columns) === values;
      const old = columns === primaryKeys(table) ? this.#read(table, values) : this.select(table, same)[0];
      if (old === undefined) continue;
      const isMeant = target === undefined || isKey(columns, target);
      if (onConflict === 'error' || !isMeant)
        throw new ModelError('23505', `A row of "${table}" has this key already: ${values}`);
      if (onConflict === 'nothing') {
        // A row that stays as it is was only waited for.
        if (isNewLock) this.#release(name);
        return undefined;
      }
      const merged = onConflict(old);
      if (merged !== undefined) this.#write(table, merged);
      return merged;
    }
    this.#write(table, row);
    return row;
  }

  /** Locks rows in the given order and returns those that still fit. Rows that others hold are waited for or skipped. */
  async lockRows(
    table: string,
    where: Where,
    { order, limit = Infinity, skips = false }: LockOptions = {},
  ): Promise<readonly Row[]> {
    const columns = primaryKeys(table);
    const candidates = this.select(table, where);
    if (order !== undefined) candidates.sort(order);
    const locked: Row[] = [];
    for (const candidate of candidates) {
      if (locked.length >= limit) break;
      const key = valuesOf(candidate, columns);
      if (!(await this.lock(`${table}:${columns.join(',')}:${key}`, skips))) continue;
      const row = this.#read(table, key);
      if (row !== undefined && where(row)) locked.push(row);
    }
    return locked;
  }

  async update(table: string, where: Where, change: (row: Row) => Row, options?: LockOptions): Promise<readonly Row[]> {
    const changed = (await this.lockRows(table, where, options)).map((row) => ({ ...row, ...change(row) }));
    for (const row of changed) this.#write(table, row);
    return changed;
  }

  async delete(table: string, where: Where, options?: LockOptions): Promise<readonly Row[]> {
    const gone = await this.lockRows(table, where, options);
    for (const row of gone) this.#write(table, row, true);
    return gone;
  }

  commit(): void {
    if (this.isOver) throw new ModelError('08006', 'The transaction is over.');
    for (const [table, own] of this.#writes) {
      const rows = this.#tables.of(table);
      for (const [key, row] of own) {
        if (row === null) rows.delete(key);
        else rows.set(key, row);
      }
    }
    for (const told of this.#tables.onCommit) told(this.#writes);
    this.#end();
  }

  rollback(): void {
    if (!this.isOver) this.#end();
  }

  #release(name: string): void {
    this.#held.delete(name);
    const lock = this.#tables.locks.get(name);
    this.#tables.locks.delete(name);
    for (const { wake } of lock?.waiting ?? []) wake();
  }

  #end(): void {
    this.isOver = true;
    for (const name of this.#held) this.#release(name);
  }
}

type LockOptions = {
  readonly order?: (a: Row, b: Row) => number;
  readonly limit?: number;
  readonly skips?: boolean;
};
