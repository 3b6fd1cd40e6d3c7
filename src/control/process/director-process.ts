import { readFileSync } from 'node:fs'
import { basename } from 'node:path'

/** A Perl or Node program is known by its script; anything else by its own name. */
const interpreter = /^(perl|node|nodejs)[\d.]*$/
/** Options of node and perl whose value is the next word. */
const optionWithValue = new Set(['-r', '--require', '--import', '--loader', '--experimental-loader', '-C', '-I'])

/**
 * Whether a process is a director, ours or Perl's: it runs a program called `ldirectord…`. That the words stand
 * somewhere in its command line is not enough, for an editor on ldirectord.cf has them too (defect D49).
 */
export function isDirector(pid: number, procfs = '/proc'): boolean {
  let commandLine: string
  try {
    commandLine = readFileSync(`${procfs}/${pid}/cmdline`, 'latin1')
  } catch {
    return false
  }
  return runsDirector(commandLine.split('\0'))
}

export function runsDirector(argv: readonly string[]): boolean {
  const [program = '', ...rest] = argv
  if (!interpreter.test(basename(program))) return isOurName(program)
  for (let n = 0; n < rest.length; n++) {
    const word = rest[n] ?? ''
    if (optionWithValue.has(word)) n += 1
    else if (!word.startsWith('-')) return isOurName(word)
  }
  return false
}

function isOurName(path: string): boolean {
  return basename(path).startsWith('ldirectord')
}
