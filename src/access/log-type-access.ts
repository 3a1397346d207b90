/** Which log types a role may read. Tokens have ALLOW_ALL. */
export type LogTypeAccess =
  | { readonly kind: 'ALLOW_ALL' | 'DENY_ALL' }
  | { readonly kind: 'ALLOW' | 'DENY'; readonly logTypes: ReadonlySet<string> };

/** An unknown log type is denied by an allow list and allowed by a deny list. */
export function mayReadLogType(access: LogTypeAccess, logType: string): boolean {
  switch (access.kind) {
    case 'ALLOW_ALL':
      return true;
    case 'DENY_ALL':
      return false;
    case 'ALLOW':
      return access.logTypes.has(logType);
    case 'DENY':
      return !access.logTypes.has(logType);
  }
}
