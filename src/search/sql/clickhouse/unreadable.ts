/** Forms of ClickHouse's SQL that the parser cannot read, and what to write instead. */
const forms: readonly (readonly [form: RegExp, suggestion: string])[] = [
  [
    /\blimit\s+\d+\s+by\s[^;]*\blimit\b|\blimit\s+\d+\s*(?:,|offset)\s*\d+\s+by\b/i,
    'Put the query with LIMIT … BY in parentheses: SELECT * FROM (SELECT … LIMIT 2 BY a) LIMIT 10.',
  ],
  [/\bglobal\s+(?:not\s+)?in\b/i, 'Leave GLOBAL away: every query runs at one place.'],
  [
    /\b(?:any|all|asof|semi|anti)\s+(?:(?:left|right|inner|full|outer)\s+){0,2}join\b|\b(?:left|right|inner)\s+(?:any|all|asof|semi|anti)\s/i,
    'Joins: INNER, LEFT, RIGHT, FULL, CROSS, ARRAY; with ON a = b or USING (a).',
  ],
  [/\bin\s+[a-z_`"[]/i, 'Write the right side of IN in parentheses: IN (1, 2), IN (SELECT …), or has(list, value).'],
  [
    /\bwith\s+(?:[\d'(]|[a-z_]\w{0,60}\s*\()/i,
    'WITH takes queries: WITH name AS (SELECT …). Give a value a name in the select list instead.',
  ],
  [/\?[^?:]{0,200}:/, 'Write if(condition, a, b).'],
  [/\bdiv\b/i, 'Write intDiv(a, b).'],
];

/** What to write instead of a text that could not be read; undefined when nothing in it is known to be at fault. */
export const unreadable = (sql: string): string | undefined => forms.find(([form]) => form.test(sql))?.[1];
