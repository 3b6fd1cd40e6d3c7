import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder of its own for each test of the suite it is called in, removed after the test. */
export function temporaryFolder(): { path(name: string): string } {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ldirectord-ng-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return { path: (name) => join(folder, name) }
}
