import assert from 'node:assert/strict'
import { fileCases } from './file-cases.ts'
import { kernelCases } from './kernel-cases.ts'
import { networkCases } from './network-cases.ts'
import { verdictOf } from './stage.ts'

describe('The doctor says', () => {
  for (const [subject, all] of Object.entries({ ...kernelCases, ...networkCases, ...fileCases })) {
    describe(subject, () => {
      for (const { name, config, facts, says } of all) {
        it(name, async () => assert.deepEqual(await verdictOf(config, facts), says))
      }
    })
  }
})
