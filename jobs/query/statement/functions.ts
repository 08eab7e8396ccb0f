/**
 * What a statement may call: functions that compute from their arguments alone. Whatever reads files, settings, secrets,
 * environment or the catalog, writes anything, waits, or runs SQL that it is given as text is not among them; nor is what
 * a newer engine brings, until it is put here (tests/query/functions.test.ts lists what is left out, and why).
 */
const scalar = `
!__postfix !~~ !~~* % & && * ** + - ->> / // <-> << <=> <@ >> @ @> ^ ^@ | || ~ ~~ ~~* ~~~
abs acos acosh add age aggregate alias apply ascii asin asinh atan atan2 atanh bar base64 bin bit_count bit_length
bit_position bitstring cardinality cbrt ceil ceiling century char_length character_length chr combine concat concat_ws
constant_or_null contains cos cosh cot current_date current_localtime current_localtimestamp damerau_levenshtein
date_add date_diff date_part date_sub date_trunc datediff datepart datesub datetrunc day dayname dayofmonth dayofweek
dayofyear days_in_month decade decode degrees divide editdist3 element_at encode ends_with enum_code enum_first enum_last
enum_range enum_range_boundary epoch epoch_ms epoch_ns epoch_us equi_width_bins era error even exp factorial fdiv filter
finalize flatten floor fmod format formatReadableDecimalSize formatReadableSize format_bytes from_base64 from_binary
from_hex from_json from_json_strict gamma gcd gen_random_uuid generate_series generate_subscripts get_bit
get_current_time get_current_timestamp get_type grade_up greatest greatest_common_divisor hamming hash hex hour icu_sort_key
ilike_escape instr is_histogram_other_bin isfinite isinf isnan isodow isoyear jaccard jaro_similarity
jaro_winkler_similarity json json_array json_array_length json_contains json_exists json_extract json_extract_path
json_extract_path_text json_extract_string json_keys json_merge_patch json_object json_pretty json_quote json_structure
json_transform json_transform_strict json_type json_valid json_value julian last_day lcase lcm least
least_common_multiple left left_grapheme len length length_grapheme levenshtein lgamma like_escape ln log log10 log2 lower
lpad ltrim make_date make_time make_timestamp make_timestamp_ms make_timestamp_ns make_timestamptz map map_concat
map_contains map_contains_entry map_contains_value map_entries map_extract map_extract_value map_from_entries map_keys
map_values md5 md5_number md5_number_lower md5_number_upper microsecond millennium millisecond minute mismatches mod month
monthname multiply nanosecond nextafter nfc_normalize normalized_interval not_ilike_escape not_like_escape now nullif
octet_length ord parse_dirname parse_dirpath parse_filename parse_formatted_bytes parse_path pi position pow power prefix
printf quarter radians random range reduce regexp_escape regexp_extract regexp_extract_all regexp_full_match regexp_matches
regexp_replace regexp_split_to_array regexp_split_to_table remap_struct repeat replace reverse right right_grapheme round
round_even roundbankers row row_to_json rpad rtrim second set_bit sha1 sha256 sign signbit sin sinh split split_part sqrt
starts_with str_split str_split_regex strftime string_split string_split_regex string_to_array strip_accents strlen strpos
strptime struct_concat struct_contains struct_extract struct_extract_at struct_has struct_indexof struct_insert struct_keys
struct_pack struct_position struct_update struct_values substr substring substring_grapheme subtract suffix switch tan tanh
time_bucket timetz_byte_comparable timezone timezone_hour timezone_minute to_base to_base64 to_binary to_centuries to_days
to_decades to_hex to_hours to_json to_microseconds to_millennia to_milliseconds to_minutes to_months to_quarters to_seconds
to_timestamp to_weeks to_years today transaction_timestamp translate trim trunc try_strptime typeof pg_typeof ucase unbin
unhex unicode union_extract union_tag union_value unnest unpivot_list upper url_decode url_encode uuid uuid_extract_timestamp
uuid_extract_version uuidv4 uuidv7 week weekday weekofyear xor year yearweek ago pg_size_pretty array_to_string
array_to_string_comma_default`

const lists = `
aggr aggregate any_value append apply approx_count_distinct avg bit_and bit_or bit_xor bool_and bool_or cat concat contains
cosine_distance cosine_similarity count cross_product distance distinct dot_product element entropy extract filter first
grade_up has has_all has_any histogram indexof inner_product intersect kurtosis kurtosis_pop last length mad max median min
mode negative_dot_product negative_inner_product pack pop_back pop_front position prepend product push_back push_front
reduce resize reverse reverse_sort select sem skewness slice sort stddev_pop stddev_samp string_agg sum to_json transform
unique value var_pop var_samp where zip`

const aggregates = `
any_value approx_count_distinct approx_quantile approx_top_k arbitrary arg_max arg_max_null arg_max_nulls_last arg_min
arg_min_null arg_min_nulls_last argmax argmin array_agg avg bit_and bit_or bit_xor bitstring_agg bool_and bool_or corr count
count_if count_star countif covar_pop covar_samp cume_dist dense_rank entropy favg fill first first_value fsum geomean
geometric_mean group_concat histogram histogram_exact json_group_array json_group_object json_group_structure kahan_sum
kurtosis kurtosis_pop lag last last_value lead list listagg mad max max_by mean median min min_by mode nth_value ntile
percent_rank product quantile quantile_cont quantile_disc rank rank_dense regr_avgx regr_avgy regr_count regr_intercept
regr_r2 regr_slope regr_sxx regr_sxy regr_syy reservoir_quantile row_number sem skewness stddev stddev_pop stddev_samp
string_agg sum sum_no_overflow sumkahan var_pop var_samp variance wavg weighted_avg grouping grouping_id`

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '')

/** By their names in lower case. */
export const allowedFunctions: ReadonlySet<string> = new Set([
  ...[...words(scalar), ...words(aggregates)].map((name) => name.toLowerCase()),
  ...words(lists).flatMap((name) => [`list_${name}`, `array_${name}`]),
])

/** What may stand in FROM. */
export const allowedTableFunctions: ReadonlySet<string> = new Set([
  'range',
  'generate_series',
  'unnest',
  'json_each',
  'json_tree',
  'repeat',
  'regexp_split_to_table',
  'generate_subscripts',
])
