/** A law that was seen broken, and how. */
export interface Finding {
  readonly law: number;
  readonly detail: string;
}
