// Uses up the file descriptors, runs a command and prints what came of it: for a test that limits them.
import { openSync } from 'node:fs'
import { codeOf } from '../../src/lib/errors.ts'
import { runCommand } from '../../src/lib/run-command.ts'

// Loaded before the descriptors are gone.
process.stdout.write('')
let starved = false
while (!starved) {
  try {
    openSync('/dev/null', 'r')
  } catch (error) {
    starved = codeOf(error) === 'EMFILE'
  }
}
process.stdout.write(JSON.stringify(await runCommand({ file: '/bin/true', args: [] }, new AbortController().signal)))
