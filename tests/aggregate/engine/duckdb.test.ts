import { openDuckDb } from '../../../jobs/aggregate/engine/duckdb.ts'
import { engineConformance } from './conformance.ts'

engineConformance('duckdb', openDuckDb)
