import {
  chmodSync,
  copyFileSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'

/** The files of a package while they are put together; paths are below its root, without a slash in front. */
export interface Tree {
  readonly root: string
  readonly checkout: string
  /** A file of the checkout. */
  read(source: string): string
  text(path: string, text: string, mode?: number): void
  /** Compressed, without a time in it. */
  zipped(path: string, text: string): void
  /** A file of the checkout, as it is. */
  copy(source: string, path: string, mode?: number): void
  /** A file from anywhere. */
  copyFrom(file: string, path: string, mode?: number): void
  link(path: string, target: string): void
  /** Every file, sorted; links and what dpkg reads are left out. */
  files(): readonly string[]
  /** Gives everything the same date, whatever the machine and the hour. */
  seal(): void
}

export function createTree(root: string, { checkout, at }: { checkout: string; at: number }): Tree {
  const place = (path: string): string => {
    const full = join(root, path)
    // Without regard to the umask of whoever builds.
    const folders = dirname(path).split('/')
    for (let depth = 0; depth <= folders.length; depth++) {
      const folder = join(root, ...folders.slice(0, depth))
      mkdirSync(folder, { recursive: true })
      chmodSync(folder, 0o755)
    }
    return full
  }
  const write = (path: string, data: string | Uint8Array, mode = 0o644): void => {
    const full = place(path)
    writeFileSync(full, data)
    chmodSync(full, mode)
  }
  const copyFrom = (file: string, path: string, mode = 0o644): void => {
    const full = place(path)
    copyFileSync(file, full)
    chmodSync(full, mode)
  }
  return {
    root,
    checkout,
    read: (source) => readFileSync(join(checkout, source), 'utf8'),
    text: write,
    zipped: (path, text) => write(path, gzipSync(text, { level: 9 })),
    copy: (source, path, mode) => copyFrom(join(checkout, source), path, mode),
    copyFrom,
    link: (path, target) => symlinkSync(target, place(path)),
    files: () => entriesOf(root).filter((path) => !path.startsWith('DEBIAN/') && lstatSync(join(root, path)).isFile()),
    seal: () => {
      for (const path of [...entriesOf(root), '']) lutimesSync(join(root, path), at, at)
    },
  }
}

const entriesOf = (root: string): string[] => (readdirSync(root, { recursive: true }) as string[]).sort()
