"""The functions that a question may use. Whatever is not named here is refused.

Nothing here reads a file, a setting, a variable, the environment, another statement or a clock
finer than today; nothing waits, writes or numbers.
"""

from __future__ import annotations

AGGREGATES = """
any_value approx_count_distinct approx_quantile arbitrary arg_max arg_min argmax argmin
array_agg avg
bit_and bit_or bit_xor bool_and bool_or corr count count_if count_star countif covar_pop covar_samp
entropy favg first fsum geomean geometric_mean group_concat histogram kurtosis last list listagg mad
max max_by mean median min min_by mode product quantile quantile_cont quantile_disc regr_avgx
regr_avgy regr_count regr_intercept regr_r2 regr_slope sem skewness stddev stddev_pop stddev_samp
string_agg sum sumkahan var_pop var_samp variance wavg weighted_avg
"""
WINDOWS = """
cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank rank_dense
row_number
"""
NUMBERS = """
abs acos add asin atan atan2 cbrt ceil ceiling cos cot degrees divide even exp factorial fdiv floor
fmod gcd greatest greatest_common_divisor isfinite isinf isnan lcm least least_common_multiple ln
log log10 log2 mod multiply pi pow power radians random round round_even roundbankers sign sin sqrt
subtract tan trunc
"""
TEXTS = """
ascii bar char_length character_length chr concat concat_ws contains damerau_levenshtein ends_with
format format_bytes hamming ilike_escape instr jaccard jaro_similarity jaro_winkler_similarity lcase
left length len levenshtein like_escape lower lpad ltrim not_ilike_escape not_like_escape ord
position prefix printf regexp_extract regexp_extract_all regexp_full_match regexp_matches
regexp_replace regexp_split_to_array repeat replace reverse right rpad rtrim split split_part
starts_with str_split string_split string_to_array strip_accents strlen strpos substr substring
suffix translate trim ucase unicode upper label
"""
TIMES = """
age century current_date date_add date_diff date_part date_sub date_trunc datediff datepart datesub
datetrunc day dayname dayofmonth dayofweek dayofyear days_in_month decade epoch era extract hour
isodow isoyear julian last_day make_date make_time make_timestamp minute month monthname now quarter
second strftime strptime time_bucket timezone to_centuries to_days to_decades to_hours to_minutes
to_months to_quarters to_seconds to_timestamp to_weeks to_years today try_strptime week weekday
weekofyear year yearweek
"""
CHOICES = "coalesce constant_or_null if ifnull nullif typeof pg_typeof alias"
NESTED = """
apply array_append array_contains array_distinct array_extract array_filter array_has array_has_all
array_has_any array_intersect array_length array_position array_prepend array_reverse
array_reverse_sort array_slice array_sort array_to_string array_transform array_unique cardinality
element_at filter flatten generate_series generate_subscripts list_aggregate list_any_value
list_append list_apply list_avg list_concat list_contains list_count list_distinct list_element
list_extract list_filter list_first list_has list_has_all list_has_any list_intersect list_last
list_max list_median list_min list_mode list_position list_prepend list_reduce list_reverse
list_reverse_sort list_select list_slice list_sort list_sum list_transform list_unique list_value
list_where list_zip map map_contains map_entries map_extract map_extract_value map_from_entries
map_keys map_values range reduce row struct_extract struct_extract_at struct_pack unnest
"""
# As DuckDB's own parser names what is written with signs.
SIGNS = """
+ - * / // % ** ^ & | ~ << >> || ~~ !~~ ~~* !~~* ~~~ && @> <@ @ ! ^@ -> ->>
"""
OPERATORS = frozenset(SIGNS.split())
FUNCTIONS = frozenset(
    " ".join((AGGREGATES, WINDOWS, NUMBERS, TEXTS, TIMES, CHOICES, NESTED)).split()
)
TABLE_FUNCTIONS = frozenset({"unnest"})
