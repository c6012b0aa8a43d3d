/**
 * detail.ts — how much a page shows. One that would be larger than PAGE_BYTES is made again with less: maps folded,
 * tables and drawings fewer. Whatever is left out says so where it would have been.
 */

/** what a page may be, at most */
export const PAGE_BYTES = 400_000;

export interface Detail {
  /** drawings of a record */
  readonly figures: number;
  /** of one kind that are maps, of a workload */
  readonly maps: number;
  /** of a map, along one side */
  readonly cells: number;
  /** of a curve */
  readonly points: number;
  /** of a table that is seen */
  readonly rows: number;
  /** of a table with a drawing's data */
  readonly data: number;
}

/** From all there is to the least that is still a report. */
export const DETAILS: readonly Detail[] = [
  { figures: Number.POSITIVE_INFINITY, maps: 4, cells: 64, points: 80, rows: 1000, data: 160 },
  { figures: 40, maps: 2, cells: 48, points: 60, rows: 300, data: 60 },
  { figures: 20, maps: 1, cells: 32, points: 40, rows: 100, data: 12 },
  { figures: 8, maps: 1, cells: 24, points: 24, rows: 30, data: 0 },
  { figures: 0, maps: 0, cells: 0, points: 0, rows: 12, data: 0 },
];
