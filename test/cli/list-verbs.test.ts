import assert from 'node:assert/strict'
import { isVerb, listVerbs } from '../../src/cli/verb-arguments.ts'

describe('the list of verbs', () => {
  it('tells each verb with its words, options and their values', () => {
    const all = listVerbs()
    for (const { name, summary } of all) {
      assert.ok(isVerb(name))
      assert.notEqual(summary, '', name)
    }
    assert.deepEqual(
      all.find(({ name }) => name === 'run'),
      {
        name: 'run',
        summary: 'The daemon in the foreground; writes the logfile and standard output.',
        arguments: [{ form: '[config]', about: 'the configuration; ldirectord.cf when absent' }],
        options: [
          { form: '--table <which>', about: 'the IPVS table to keep', values: ['kernel', 'memory'], takesValue: true },
          {
            form: '--log <where>',
            about: 'only standard output, no logfile',
            values: ['stdout'],
            takesValue: true,
          },
        ],
      },
    )
  })
})
