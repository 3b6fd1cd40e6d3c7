import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { validate } from '../../src/cli/validate.ts'
import type { LoadResult } from '../../src/config/model.ts'
import type { Diagnostic } from '../../src/lib/diagnostics.ts'
import { temporaryFolder } from '../log/temporary.ts'
import { emptyConfig } from './process-stage.ts'

describe('validate', () => {
  const folder = temporaryFolder()
  const text = 'checktimout = 5\nautoreload = yes\n'
  const file = (): string => folder.path('a.cf')
  const at = (line: number): Diagnostic['at'] => ({ file: file(), line, column: 1, length: 11 })
  const error = (): Diagnostic => ({
    severity: 'error',
    code: 'unknown-directive',
    message: 'unknown directive \u001b[2J',
    at: at(1),
    hint: 'did you mean checktimeout?',
  })
  const warning = (): Diagnostic => ({ severity: 'warning', code: 'advice', message: 'be careful', at: at(2) })

  const run = async (
    diagnostics: readonly Diagnostic[],
    options: { json?: boolean; print?: boolean; config?: string } = {},
  ): Promise<{ code: number; out: string; err: string }> => {
    let out = ''
    let err = ''
    writeFileSync(file(), text)
    const good = diagnostics.every((d) => d.severity === 'warning')
    const result: LoadResult = { config: good ? emptyConfig(file()) : undefined, diagnostics, text }
    const ports = {
      out: (words: string) => {
        out += words
      },
      err: (words: string) => {
        err += words
      },
      load: () => Promise.resolve(result),
    }
    const code = await validate(ports, { config: file(), json: false, print: false, ...options })
    return { code, out, err }
  }

  it('is content with a file without faults', async () => {
    assert.deepEqual(await run([]), {
      code: 0,
      out: `${file()}: no faults; virtual services 0, real servers 0\n`,
      err: '',
    })
  })

  it('shows warnings and is content', async () => {
    const { code, out, err } = await run([warning()])
    assert.deepEqual([code, err], [0, ''])
    assert.match(out, /a\.cf:2:1: warning\[advice\]: be careful\n.*a\.cf: 1 warning; virtual services 0/s)
  })

  it('shows every fault with its line, caret and hint on standard output, and exits 2', async () => {
    const { code, out, err } = await run([error(), warning()])
    assert.deepEqual([code, err], [2, ''])
    assert.equal(
      out,
      [
        `${file()}:1:1: error[unknown-directive]: unknown directive \\x1b[2J`,
        '  | checktimout = 5',
        '  | ^^^^^^^^^^^',
        '  hint: did you mean checktimeout?',
        `${file()}:2:1: warning[advice]: be careful`,
        '  | autoreload = yes',
        '  | ^^^^^^^^^^^',
        `${file()}: 1 error, 1 warning`,
        '',
      ].join('\n'),
    )
  })

  it('gives all of it as JSON', async () => {
    const { code, out, err } = await run([error(), warning()], { json: true })
    assert.deepEqual([code, err], [2, ''])
    assert.deepEqual(JSON.parse(out), {
      file: file(),
      errors: 1,
      warnings: 1,
      diagnostics: [
        {
          severity: 'error',
          code: 'unknown-directive',
          message: 'unknown directive \u001b[2J',
          file: file(),
          line: 1,
          column: 1,
          length: 11,
          hint: 'did you mean checktimeout?',
        },
        {
          severity: 'warning',
          code: 'advice',
          message: 'be careful',
          file: file(),
          line: 2,
          column: 1,
          length: 11,
          hint: null,
        },
      ],
    })
  })

  it('prints the configuration alone on standard output', async () => {
    const { code, out, err } = await run([warning()], { print: true })
    assert.equal(code, 0)
    assert.match(out, /^autoreload ?= ?no$/m)
    assert.doesNotMatch(out, /careful/)
    assert.match(err, /warning\[advice\]: be careful/)
  })

  it('prints nothing of a configuration with errors', async () => {
    const { code, out } = await run([error()], { print: true })
    assert.deepEqual([code, out], [2, ''])
  })

  it('exits 2 when there is no such file', async () => {
    const config = folder.path('gone.cf')
    const { code, out } = await run([], { config })
    assert.equal(code, 2)
    assert.match(out, /gone\.cf:1:1: error\[file\]: Config file .*gone\.cf not found\n/)
    const json = await run([], { config, json: true })
    assert.equal((JSON.parse(json.out) as { errors: number }).errors, 1)
  })
})
