import { InvalidArgumentError } from 'commander';

/** What `--store` asks for; `text` is how it was written. */
export type StoreChoice =
  | { readonly name: 'shmem'; readonly text: string }
  | {
      readonly name: 'hugetlb';
      readonly text: string;
      readonly pageSize: '2M' | '1G';
      /** In huge pages. */
      readonly pool: number;
    };

export const SHMEM: StoreChoice = { name: 'shmem', text: 'shmem' };

/** @throws InvalidArgumentError that says what can be written. */
export function parseStore(text: string): StoreChoice {
  if (text === 'shmem') return SHMEM;
  const [, pageSize, pool] = /^hugetlb:(2M|1G),pool=(\d{1,9})$/.exec(text) ?? [];
  if (pageSize === '2M' || pageSize === '1G') {
    return { name: 'hugetlb', text, pageSize, pool: Number(pool) };
  }
  throw new InvalidArgumentError(
    'It must be shmem, hugetlb:2M,pool=N or hugetlb:1G,pool=N, where N counts huge pages.',
  );
}
