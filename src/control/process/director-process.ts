import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { basename } from 'node:path'

/** A Perl or Node program is known by its script; anything else by its own name. */
const interpreter = /^(perl|node|nodejs)[\d.]*$/
/** Options of node and perl whose value is the next word. */
const optionWithValue = new Set(['-r', '--require', '--import', '--loader', '--experimental-loader', '-C', '-I'])

/**
 * Whether a process is a director, ours or Perl's: it runs a program called `ldirectord…`. That the words stand
 * somewhere in its command line is not enough, for an editor on ldirectord.cf has them too (defect D49). The asking
 * process itself is none: `status` may have got the number of a director that was killed.
 */
export function isDirector(pid: number, procfs = '/proc'): boolean {
  if (pid === process.pid) return false
  let commandLine: string
  try {
    commandLine = readFileSync(`${procfs}/${pid}/cmdline`, 'latin1')
  } catch {
    return false
  }
  return runsDirector(commandLine.split('\0'))
}

/**
 * Whether a process has a handler for a signal (proc(5), SigCgt). Perl ldirectord and a director that has just begun have
 * none for some, and would die of them with their work half done. False when it can not be seen.
 */
export function catchesSignal(pid: number, signal: NodeJS.Signals, procfs = '/proc'): boolean {
  try {
    const [, caught = '0'] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`${procfs}/${pid}/status`, 'latin1')) ?? []
    return ((BigInt(`0x${caught}`) >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n
  } catch {
    return false
  }
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
