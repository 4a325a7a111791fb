/* Forced into every file of a program whose points at memory accesses come from the thread instrumentation, although the
 * build is not ThreadSanitizer's: what the file asks for is answered as without that instrumentation. The macros that say
 * so as well are undefined by flags (src/target/flags.rs).
 *
 * A compiler's own macro cannot be asked once it is replaced, so its nearest relative is: `__has_extension` says what
 * `__has_feature` says, and yes to extensions too. Those are the names below, asked for while it is still possible. */
#ifndef THREADBARE_FEATURES_H
#define THREADBARE_FEATURES_H
#ifdef __has_feature
#pragma GCC system_header

#define THREADBARE_HIDES_thread_sanitizer 1
#define THREADBARE_HIDES___thread_sanitizer__ 1

#if !__has_feature(c_alignas)
#define THREADBARE_HIDES_c_alignas 1
#define THREADBARE_HIDES___c_alignas__ 1
#endif
#if !__has_feature(c_alignof)
#define THREADBARE_HIDES_c_alignof 1
#define THREADBARE_HIDES___c_alignof__ 1
#endif
#if !__has_feature(c_atomic)
#define THREADBARE_HIDES_c_atomic 1
#define THREADBARE_HIDES___c_atomic__ 1
#endif
#if !__has_feature(c_attributes)
#define THREADBARE_HIDES_c_attributes 1
#define THREADBARE_HIDES___c_attributes__ 1
#endif
#if !__has_feature(c_countof)
#define THREADBARE_HIDES_c_countof 1
#define THREADBARE_HIDES___c_countof__ 1
#endif
#if !__has_feature(c_fixed_enum)
#define THREADBARE_HIDES_c_fixed_enum 1
#define THREADBARE_HIDES___c_fixed_enum__ 1
#endif
#if !__has_feature(c_generic_selection_with_controlling_type)
#define THREADBARE_HIDES_c_generic_selection_with_controlling_type 1
#define THREADBARE_HIDES___c_generic_selection_with_controlling_type__ 1
#endif
#if !__has_feature(c_generic_selections)
#define THREADBARE_HIDES_c_generic_selections 1
#define THREADBARE_HIDES___c_generic_selections__ 1
#endif
#if !__has_feature(c_static_assert)
#define THREADBARE_HIDES_c_static_assert 1
#define THREADBARE_HIDES___c_static_assert__ 1
#endif
#if !__has_feature(c_thread_local)
#define THREADBARE_HIDES_c_thread_local 1
#define THREADBARE_HIDES___c_thread_local__ 1
#endif
#if !__has_feature(cxx_atomic)
#define THREADBARE_HIDES_cxx_atomic 1
#define THREADBARE_HIDES___cxx_atomic__ 1
#endif
#if !__has_feature(cxx_attributes_on_using_declarations)
#define THREADBARE_HIDES_cxx_attributes_on_using_declarations 1
#define THREADBARE_HIDES___cxx_attributes_on_using_declarations__ 1
#endif
#if !__has_feature(cxx_binary_literals)
#define THREADBARE_HIDES_cxx_binary_literals 1
#define THREADBARE_HIDES___cxx_binary_literals__ 1
#endif
#if !__has_feature(cxx_default_function_template_args)
#define THREADBARE_HIDES_cxx_default_function_template_args 1
#define THREADBARE_HIDES___cxx_default_function_template_args__ 1
#endif
#if !__has_feature(cxx_defaulted_functions)
#define THREADBARE_HIDES_cxx_defaulted_functions 1
#define THREADBARE_HIDES___cxx_defaulted_functions__ 1
#endif
#if !__has_feature(cxx_deleted_functions)
#define THREADBARE_HIDES_cxx_deleted_functions 1
#define THREADBARE_HIDES___cxx_deleted_functions__ 1
#endif
#if !__has_feature(cxx_explicit_conversions)
#define THREADBARE_HIDES_cxx_explicit_conversions 1
#define THREADBARE_HIDES___cxx_explicit_conversions__ 1
#endif
#if !__has_feature(cxx_explicit_this_parameter)
#define THREADBARE_HIDES_cxx_explicit_this_parameter 1
#define THREADBARE_HIDES___cxx_explicit_this_parameter__ 1
#endif
#if !__has_feature(cxx_fixed_enum)
#define THREADBARE_HIDES_cxx_fixed_enum 1
#define THREADBARE_HIDES___cxx_fixed_enum__ 1
#endif
#if !__has_feature(cxx_generalized_nttp)
#define THREADBARE_HIDES_cxx_generalized_nttp 1
#define THREADBARE_HIDES___cxx_generalized_nttp__ 1
#endif
#if !__has_feature(cxx_init_captures)
#define THREADBARE_HIDES_cxx_init_captures 1
#define THREADBARE_HIDES___cxx_init_captures__ 1
#endif
#if !__has_feature(cxx_inline_namespaces)
#define THREADBARE_HIDES_cxx_inline_namespaces 1
#define THREADBARE_HIDES___cxx_inline_namespaces__ 1
#endif
#if !__has_feature(cxx_lambdas)
#define THREADBARE_HIDES_cxx_lambdas 1
#define THREADBARE_HIDES___cxx_lambdas__ 1
#endif
#if !__has_feature(cxx_local_type_template_args)
#define THREADBARE_HIDES_cxx_local_type_template_args 1
#define THREADBARE_HIDES___cxx_local_type_template_args__ 1
#endif
#if !__has_feature(cxx_nonstatic_member_init)
#define THREADBARE_HIDES_cxx_nonstatic_member_init 1
#define THREADBARE_HIDES___cxx_nonstatic_member_init__ 1
#endif
#if !__has_feature(cxx_override_control)
#define THREADBARE_HIDES_cxx_override_control 1
#define THREADBARE_HIDES___cxx_override_control__ 1
#endif
#if !__has_feature(cxx_range_for)
#define THREADBARE_HIDES_cxx_range_for 1
#define THREADBARE_HIDES___cxx_range_for__ 1
#endif
#if !__has_feature(cxx_reference_qualified_functions)
#define THREADBARE_HIDES_cxx_reference_qualified_functions 1
#define THREADBARE_HIDES___cxx_reference_qualified_functions__ 1
#endif
#if !__has_feature(cxx_rvalue_references)
#define THREADBARE_HIDES_cxx_rvalue_references 1
#define THREADBARE_HIDES___cxx_rvalue_references__ 1
#endif
#if !__has_feature(cxx_variable_templates)
#define THREADBARE_HIDES_cxx_variable_templates 1
#define THREADBARE_HIDES___cxx_variable_templates__ 1
#endif
#if !__has_feature(cxx_variadic_templates)
#define THREADBARE_HIDES_cxx_variadic_templates 1
#define THREADBARE_HIDES___cxx_variadic_templates__ 1
#endif
#if !__has_feature(datasizeof)
#define THREADBARE_HIDES_datasizeof 1
#define THREADBARE_HIDES___datasizeof__ 1
#endif
#if !__has_feature(gnu_asm)
#define THREADBARE_HIDES_gnu_asm 1
#define THREADBARE_HIDES___gnu_asm__ 1
#endif
#if !__has_feature(gnu_asm_goto_with_outputs)
#define THREADBARE_HIDES_gnu_asm_goto_with_outputs 1
#define THREADBARE_HIDES___gnu_asm_goto_with_outputs__ 1
#endif
#if !__has_feature(gnu_asm_goto_with_outputs_full)
#define THREADBARE_HIDES_gnu_asm_goto_with_outputs_full 1
#define THREADBARE_HIDES___gnu_asm_goto_with_outputs_full__ 1
#endif
#if !__has_feature(matrix_types)
#define THREADBARE_HIDES_matrix_types 1
#define THREADBARE_HIDES___matrix_types__ 1
#endif
#if !__has_feature(matrix_types_scalar_division)
#define THREADBARE_HIDES_matrix_types_scalar_division 1
#define THREADBARE_HIDES___matrix_types_scalar_division__ 1
#endif
#if !__has_feature(overloadable_unmarked)
#define THREADBARE_HIDES_overloadable_unmarked 1
#define THREADBARE_HIDES___overloadable_unmarked__ 1
#endif
#if !__has_feature(pragma_clang_attribute_external_declaration)
#define THREADBARE_HIDES_pragma_clang_attribute_external_declaration 1
#define THREADBARE_HIDES___pragma_clang_attribute_external_declaration__ 1
#endif
#if !__has_feature(pragma_clang_attribute_namespaces)
#define THREADBARE_HIDES_pragma_clang_attribute_namespaces 1
#define THREADBARE_HIDES___pragma_clang_attribute_namespaces__ 1
#endif
#if !__has_feature(statement_attributes_with_gnu_syntax)
#define THREADBARE_HIDES_statement_attributes_with_gnu_syntax 1
#define THREADBARE_HIDES___statement_attributes_with_gnu_syntax__ 1
#endif

#undef __has_feature
#define __has_feature(name) (__has_extension(name) && !THREADBARE_HIDES_##name)
#endif
#endif
