/** Rules whose conditions are easy to get wrong: exceptions before the guard, answers that are no bool, state, effects. */
export const helpers = `
from collections.abc import Mapping
from functools import reduce

LEVELS = {"low": 1, "high": 2}
SEEN = []


def deep(value, *keys, default=None):
    out = reduce(lambda d, key: d.get(key, default) if isinstance(d, Mapping) else default, keys, value)
    return default if out is None else out


def remember(value):
    SEEN.append(value)
    return len(SEEN)


class Table:
    def __init__(self, event, name):
        self.rows = None
        if name:
            self.rows = event.deep_get("p_enrichment", name)

    def row(self, key):
        if not self.rows:
            return None
        return deep(self.rows, key)
`;

export const trickyRules: Readonly<Record<string, string>> = {
  'starts before the guard': 'return event.get("name").startswith("root") and event.get("kind") == "a"',
  'answers with a value': 'return event.get("kind") and event.get("name")',
  'finds in a set': 'return event.get("kind") in {"a", "b", 1} and event.get("name") != "x"',
  'finds in a list': 'return event.get("kind") in ["a", 1, None]',
  'finds in keys': 'from helpers import LEVELS\n    return event.get("kind") in LEVELS.keys()',
  'looks a level up': 'from helpers import LEVELS\n    return LEVELS.get(event.get("kind"), 0) > 1',
  'looks a function up':
    'ways = {"a": lambda e: e.get("flag"), "b": lambda e: e["map"]["kind"] == "a", 1: lambda e: True}\n    way = ways.get(event.get("kind"))\n    return way(event) if way else False',
  'looks a function up, or not':
    'ways = {"a": lambda e: e.get("n") == 2}\n    return ways.get(event.get("kind", "a"), lambda e: "x" in e)(event)',
  'looks many up':
    'ways = {str(n): n for n in range(40)}\n    return {**ways, "a": True}.get(event.get("kind"), False) is True',
  'looks one of many functions up': `ways = {${Array.from({ length: 16 }, (_, n) => `"${'abcdefghijklmnop'[n]}": lambda e: e.get("n") == ${n}`).join(', ')}}
    return ways.get(event.get("kind"), lambda e: False)(event)`,
  'takes a default that matches': 'return event.get("kind", "a") == "a" and "x" not in event',
  'compares a bool with a number': 'return event.get("n") == 1',
  'demands exactly True': 'return event.get("flag") is True',
  'orders numbers': 'return 1 < event.get("n", 0) <= 5',
  'changes case': 'return event.get("kind", "").lower() == "a" or event.get("name", "").upper().endswith("T")',
  walks: 'return "a" in event.deep_walk("list", "kind", default=[]) or event.deep_walk("map", "kind") == "a"',
  'asks any': 'return any(item.get("kind") == "a" for item in event.get("list", []))',
  'asks all': 'return all(item in ("a", "b") for item in event.get("list") or ["a"])',
  gathers:
    'found = []\n    for item in event.get("list", []):\n        if item == "a":\n            found.append(item)\n    return bool(found)',
  'counts in a loop':
    'count = 0\n    for item in event.get("list", []):\n        if item != "a":\n            continue\n        count += 1\n    return count > 0',
  catches:
    'try:\n        return event["map"]["kind"] == "a"\n    except KeyError:\n        return event.get("kind") == "a"',
  'catches all':
    'try:\n        return event.get("name").startswith("r")\n    except Exception:\n        return "name" in event',
  remembers: 'from helpers import remember\n    return remember(event.get("kind")) > 3 and event.get("kind") == "a"',
  'follows a helper':
    'from helpers import deep\n    return deep(event, "map", "kind", default="z") in ("a", "z") and deep(event, "n") == 2',
  'reads enrichment': 'from helpers import Table\n    return bool(Table(event, "t").row("kind"))',
  'uses the data model': 'return event.udm("who") == "root" and event.udm("kind") != "b"',
  'uses a model function': 'return event.udm("shout") == "ROOT"',
  'matches a glob':
    'from fnmatch import fnmatch\n    return fnmatch(event.get("name", ""), "r*t") and not fnmatch(event.get("kind", ""), "b*")',
  'matches a pattern':
    'import re\n    return bool(re.search(r"^ro+t", event.get("name", ""))) and event.get("kind") != "b"',
  'takes a piece': 'return event.get("name", "")[0] == "r" and event.get("list")[-1] == "a"',
  'ignores key case': 'return event.get("KIND") == "a" and "Name" in event and event.deep_get("MAP", "Kind") == "a"',
  unpacks: 'first, second = event.get("list")\n    return first == "a"',
  'asks for a length': 'return len(event.get("list") or []) > 1 and len(event.get("name", "")) >= 4',
  nests:
    'def inner(key):\n        return event.get(key) == "a"\n    return inner("kind") if event.get("flag") else not inner("name")',
  chooses:
    'kind = "a" if event.get("flag") else event.get("kind")\n    return kind == "a" and (event.get("n") or 7) == 7',
  formats: 'return f"{event.get(\'kind\')}-{event.get(\'n\')}" == "a-1"',
  raises: 'if event.get("kind") == "b":\n        raise ValueError("b")\n    return False',
  loops: 'n = 0\n    while n < 2:\n        n += 1\n    return event.get("kind") == "a"',
  'checks types':
    'value = event.get("map")\n    return isinstance(value, dict) or (isinstance(value, str) and value == "a")',
  'may say nothing': 'if event.get("kind") == "a":\n        return True',
  'answers with a number': 'return 1 if event.get("kind") == "b" else True',
  'is true unless told otherwise': 'return event.get("flag", True)',
  'is true for what is empty': 'return not event.get("list") or not event.get("n")',
  'is not False': 'return event.get("flag") is not False',
  'is true or a comparison': 'return event.get("flag") or event.get("kind") == "a"',
  'is true and a value': 'return event.get("kind") != "x" and event.get("flag")',
  'is true but raises': 'return event["map"]["kind"] != "x"',
  'is true after an effect': 'from helpers import remember\n    remember(event.get("n"))\n    return True',
  'is always true': 'return True',
  'is always false': 'return False',
};

const base = { kind: 'a', name: 'root', n: 2, flag: true, list: ['a', 'b'], map: { kind: 'a' } };
export const trickyEvents: readonly Readonly<Record<string, unknown>>[] = [
  base,
  {},
  { ...base, list: [{ kind: 'a' }, { kind: 'b' }] },
  { ...base, list: [{ kind: ['a', { x: 1 }] }], map: [{ kind: 'a' }] },
  { ...base, kind: 'b', flag: false, n: 1 },
  { ...base, kind: 1, n: true, name: 'ROOT' },
  { ...base, name: 'rööt', KIND: 'x' },
  { Kind: 'a', NAME: 'root', Map: { KIND: 'a' } },
  { ...base, p_enrichment: { t: { kind: { score: 1 } } }, p_udm: { kind: 'c' } },
  { ...base, user: { name: 'root' } },
  { ...base, kind: null, list: null, map: null, name: null },
];
