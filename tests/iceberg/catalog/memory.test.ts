import { describe } from '@jest/globals'
import { lakeInMemory } from '../tables.ts'
import { catalogBehaviour } from './behaviour.ts'

describe('memory catalog', () => {
  catalogBehaviour(() => Promise.resolve(lakeInMemory()))
})
