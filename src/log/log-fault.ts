import { accessSync, constants, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { codeOf, messageOf } from '../lib/errors.ts'
import { facilityNumber } from '../lib/facility.ts'
import { printable } from '../lib/printable.ts'

/**
 * Why nothing can be written to `logfile=` now, in one line; undefined when something can. For whoever starts a daemon
 * that will have no standard error to complain on.
 */
export function logFault(logfile: string): string | undefined {
  const shown = printable(logfile)
  if (!logfile.startsWith('/')) return facilityNumber(logfile) === undefined ? `no syslog facility ${shown}` : undefined
  try {
    if (statSync(logfile).isDirectory()) return `the log ${shown} is a directory`
    accessSync(logfile, constants.W_OK)
    return undefined
  } catch (error) {
    return codeOf(error) === 'ENOENT'
      ? folderFault(logfile)
      : `the log cannot be written: ${printable(messageOf(error))}`
  }
}

function folderFault(logfile: string): string | undefined {
  try {
    accessSync(dirname(logfile), constants.W_OK | constants.X_OK)
    return undefined
  } catch (error) {
    return `the log cannot be written: ${printable(messageOf(error))}`
  }
}
