import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { anchorsOf, linksOf } from './markdown.ts';

/** Links of the pages that lead nowhere: to no file, or to no heading of one. Addresses on the web are not followed. */
export function deadLinks(root: string, pages: readonly string[]): readonly string[] {
  return pages.flatMap((page) => {
    const text = readFileSync(path.join(root, page), 'utf8');
    return linksOf(text).flatMap((target) => {
      if (/^[a-z][a-z+.-]*:/i.test(target)) return [];
      const [file = '', anchor] = target.split('#');
      const wanted = file === '' ? path.join(root, page) : path.join(root, path.dirname(page), decodeURI(file));
      if (!existsSync(wanted)) return [`${page}: ${target} leads to no file`];
      if (anchor === undefined || anchor === '' || !wanted.endsWith('.md') || statSync(wanted).isDirectory()) return [];
      return anchorsOf(readFileSync(wanted, 'utf8')).has(anchor) ? [] : [`${page}: ${target} leads to no heading`];
    });
  });
}
