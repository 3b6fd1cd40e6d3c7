import { lstatSync, readlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** A place in the file system whose change can make a path mean another file. */
export interface PathStep {
  /** A real directory: no symlink in its path. */
  readonly directory: string
  readonly name: string
}

const maxLinks = 40

/**
 * Every symlink on the way of an absolute path, and the file at its end, each with the directory it stands in. What is
 * missing ends the walk: it is the last step, for there something will appear.
 */
export function pathSteps(path: string): readonly PathStep[] {
  const steps: PathStep[] = []
  let real = '/'
  let rest = resolve(path).split('/').slice(1)
  for (let links = 0; rest.length > 0; ) {
    const [name = '', ...others] = rest
    if (name === '' || name === '.') rest = others
    else if (name === '..') {
      real = dirname(real)
      rest = others
    } else {
      const kind = kindOf(join(real, name))
      if (kind !== 'directory' || others.length === 0) steps.push({ directory: real, name })
      if (kind === 'missing' || links > maxLinks) return steps
      if (kind === 'link') {
        links += 1
        const target = targetOf(join(real, name))
        if (target === undefined) return steps
        if (target.startsWith('/')) real = '/'
        rest = [...target.split('/'), ...others]
      } else {
        real = join(real, name)
        rest = others
      }
    }
  }
  return steps
}

function kindOf(path: string): 'missing' | 'link' | 'directory' | 'file' {
  try {
    const stat = lstatSync(path)
    if (stat.isSymbolicLink()) return 'link'
    return stat.isDirectory() ? 'directory' : 'file'
  } catch {
    return 'missing'
  }
}

/** Undefined when the link has gone since it was looked at. */
function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link)
  } catch {
    return undefined
  }
}
