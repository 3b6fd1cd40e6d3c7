import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { externalPerl } from '../../checks/external-perl.ts'
import type { VirtualSeen } from '../../src/check/contract.ts'
import { needs } from '../servers/needs.ts'
import { type Ask, ask, verdictOf } from './probing.ts'

const seen: VirtualSeen = { address: '192.0.2.10', port: 80, realAddress: '2001:db8::2', realPort: 8080 }

describe('the external-perl check', () => {
  let directory: string
  let file: string
  before(async function () {
    directory = await mkdtemp(join(tmpdir(), 'perl-'))
    file = join(directory, 'check.pl')
    needs(this, 'perl')
  })
  after(() => rm(directory, { recursive: true, force: true }))

  const run = async (text: string, more: Partial<Ask> = {}) => {
    await writeFile(file, text)
    return ask({ check: externalPerl, virtual: seen, ...more, options: { checkcommand: file } })
  }

  describe('runs the file as the body of a function', () => {
    const cases: readonly [title: string, text: string, verdict: string, detail: RegExp][] = [
      ['falling off the end', 'my $x = 1;', 'up', /^exit status 0$/],
      ['a comment at the end, without a newline', 'my $x = 1; # done', 'up', /^exit status 0$/],
      ['an empty file', '', 'up', /^exit status 0$/],
      ['exit without a number', 'exit;', 'up', /^exit status 0$/],
      ['exit 0', 'exit 0;', 'up', /^exit status 0$/],
      ['return, of whatever value', 'return 7; exit 3;', 'up', /^exit status 0$/],
      ['exit with a status', 'exit 3;', 'down exit-status', /^exit status 3$/],
      ['exit in a function of its own', 'sub leave { exit $_[0] } leave(4);', 'down exit-status', /^exit status 4$/],
      ['exit inside eval', 'eval { exit 5 };', 'down exit-status', /^exit status 5$/],
      ['what it printed', 'print "no such table\\n"; exit 1', 'down exit-status', /^exit status 1: no such table$/],
      ['an exception', 'my $x = 1;\ndie "out of tea\\n";', 'down exit-status', /^exit status 255: out of tea$/],
      ['an exception with its line', '\n\ndie "here";', 'down exit-status', /here at .*check\.pl line 3\.$/],
      ['an exception that is empty', 'die;', 'down exit-status', /^exit status 255: Died at/],
      [
        'a fault in the text',
        'this is not perl (',
        'down exit-status',
        /^exit status 255: .*error at .*check\.pl line 2/,
      ],
      ['use strict', 'use strict; $undeclared = 1;', 'down exit-status', /^exit status 255: Global symbol/],
      ['no strict unless asked for', '$undeclared = 1; exit 0', 'up', /^exit status 0$/],
      ['a first line for the kernel', '#!/usr/bin/perl -w\nexit 6', 'down exit-status', /^exit status 6$/],
      ['a signal', 'kill "SEGV", $$; sleep 5', 'down exit-status', /was killed by SIGSEGV$/],
    ]
    for (const [title, text, verdict, detail] of cases) {
      it(`${verdict}: ${title}`, async () => {
        const result = await run(text)
        assert.equal(verdictOf(result), verdict, result.detail)
        assert.match(result.detail, detail)
      })
    }

    it('with the four arguments in @_ and in @ARGV', async () => {
      const result = await run('print join(" ", @_, "|", @ARGV, "|", scalar(@_)); exit 1')
      const four = '192.0.2.10 80 [2001:db8::2] 8080'
      assert.equal(result.detail, `exit status 1: ${four} | ${four} | 4`)
    })

    it('anew each time: an edit is seen', async () => {
      assert.equal(verdictOf(await run('exit 0')), 'up')
      assert.equal(verdictOf(await run('exit 1')), 'down exit-status')
    })
  })

  it('down exit-status: a missing file', async () => {
    const missing = join(directory, 'missing.pl')
    const result = await ask({ check: externalPerl, options: { checkcommand: missing } })
    assert.equal(verdictOf(result), 'down exit-status')
    assert.equal(result.detail, `exit status 255: ${missing}: No such file or directory`)
  })

  it('does not take a file name for an option or for code', async () => {
    for (const checkcommand of ['-v', '-e', '-', 'x"; exit 0; "', '| true', '< /dev/null']) {
      const result = await ask({ check: externalPerl, options: { checkcommand } })
      assert.equal(verdictOf(result), 'down exit-status', checkcommand)
      assert.match(result.detail, /No such file/)
    }
  })

  it('down timeout: it does not end, and minds no TERM', async () => {
    const result = await run('$SIG{TERM} = "IGNORE"; sleep 1 while 1;', { timeoutMs: 300 })
    assert.equal(verdictOf(result), 'down timeout')
    assert.ok(result.durationMs < 1900, `took ${result.durationMs} ms`)
  })

  describe('on a machine without Perl', () => {
    const { PATH } = process.env
    before(() => {
      Object.assign(process.env, { PATH: directory })
    })
    after(() => {
      Object.assign(process.env, { PATH })
    })

    it('unknown missing-tool', async () => {
      assert.equal(verdictOf(await run('exit 0')), 'unknown missing-tool')
    })
  })
})
