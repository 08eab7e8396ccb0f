import type * as grpcTypes from '@grpc/grpc-js'
import type { ClientReadableStream, Metadata, ServiceError } from '@grpc/grpc-js'
import type { MessageTypeDefinition } from '@grpc/proto-loader'
import { fileURLToPath } from 'node:url'
import type { Plan } from './plan.ts'

/** What each call of a session carries. */
export interface SessionFields {
  readonly session_id: string
  readonly client_observed_server_side_session_id?: string
  readonly user_context: { readonly user_id: string }
  readonly client_type: string
}

export interface ExecuteRequest extends SessionFields {
  readonly operation_id: string
  readonly plan: Plan
  readonly request_options: readonly [{ readonly reattach_options: { readonly reattachable: true } }]
}

export interface ReattachRequest extends SessionFields {
  readonly operation_id: string
  readonly last_response_id?: string
}

export interface ExecuteResponse {
  readonly server_side_session_id?: string
  readonly response_id?: string
  readonly result_complete?: object
  readonly observed_metrics?: readonly {
    readonly name: string
    readonly keys?: readonly string[]
    readonly values?: readonly { readonly integer?: number; readonly long?: string }[]
  }[]
}

type Answer<T> = (error: ServiceError | null, answer?: T) => void
export interface SmallAnswer {
  readonly server_side_session_id?: string
  /** Of an interrupt: the operations that it met. */
  readonly interrupted_ids?: readonly string[]
}
type Unary = (
  request: object,
  metadata: Metadata,
  options: { readonly deadline: number },
  answer: Answer<SmallAnswer>,
) => void

/** The service of connect.proto. */
export interface ConnectClient {
  ExecutePlan(request: ExecuteRequest, metadata: Metadata): ClientReadableStream<ExecuteResponse>
  ReattachExecute(request: ReattachRequest, metadata: Metadata): ClientReadableStream<ExecuteResponse>
  readonly ReleaseExecute: Unary
  readonly Interrupt: Unary
  readonly Config: Unary
  readonly ReleaseSession: Unary
  close(): void
}

export interface Status {
  readonly details?: readonly { readonly type_url: string; readonly value: Buffer }[]
}
export interface ErrorInfo {
  readonly reason?: string
  readonly metadata?: Readonly<Record<string, string>>
}

export interface Messages {
  readonly grpc: Pick<typeof grpcTypes, 'Metadata' | 'credentials'>
  readonly Service: new (
    address: string,
    credentials: grpcTypes.ChannelCredentials,
    options: grpcTypes.ChannelOptions,
  ) => ConnectClient
  readonly status: (bytes: Buffer) => Status
  readonly errorInfo: (bytes: Buffer) => ErrorInfo
}

/** gRPC and the messages of connect.proto; 64-bit numbers come as text. */
export async function loadMessages(): Promise<Messages> {
  const [{ default: grpc }, { default: loader }] = await Promise.all([
    import('@grpc/grpc-js'),
    import('@grpc/proto-loader'),
  ])
  const definition = loader.loadSync(fileURLToPath(new URL('./connect.proto', import.meta.url)), {
    keepCase: true,
    longs: String,
    enums: String,
  })
  const root = grpc.loadPackageDefinition(definition)['spark'] as grpcTypes.GrpcObject
  const { SparkConnectService } = root['connect'] as Record<string, unknown>
  const decoder = (name: string): ((bytes: Buffer) => object) =>
    (definition[`spark.connect.${name}`] as MessageTypeDefinition<object, object>).deserialize
  return {
    grpc,
    Service: SparkConnectService as Messages['Service'],
    status: decoder('Status'),
    errorInfo: decoder('ErrorInfo'),
  }
}
