import { createLakeDirectory, type LakeDirectory } from './lake-directory.ts';
import { createQueryAsking, type QueryAsking } from './query-asking.ts';
import type { QueryDeps } from './query-deps.ts';
import { createQueryReading, type QueryReading } from './query-reading.ts';

/** Queries over the lake as people and programs ask them. */
export type QueryService = LakeDirectory & QueryAsking & QueryReading;

export function createQueryService(deps: QueryDeps): QueryService {
  return { ...createLakeDirectory(deps), ...createQueryAsking(deps), ...createQueryReading(deps) };
}
