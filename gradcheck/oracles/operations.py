"""Operations of torch by how they round: what a replica must know of each."""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Results that are copies of the inputs: nothing is rounded.
EXACT = _names(
    "clone copy_ detach lift_fresh _unsafe_view contiguous alias cat stack where neg abs "
    "sign relu relu_ threshold_backward clamp clamp_min clamp_max maximum minimum amax "
    "amin max min sort topk gather index_select index masked_fill masked_fill_ flip roll "
    "zero_ fill_ zeros ones full empty zeros_like ones_like full_like empty_like "
    "new_zeros new_ones new_full new_empty arange eye scalar_tensor tril triu "
    "constant_pad_nd embedding repeat select_backward slice_backward diagonal_copy "
    "masked_select max_pool2d_with_indices max_pool3d_with_indices scatter "
    "new_empty_strided empty_strided _reshape_alias resize_ select_scatter slice_scatter "
    "ceil floor round trunc isnan isinf nan_to_num native_dropout_backward"
)
# Sums of many terms, linear in each argument: their magnitudes are the same sums of magnitudes.
SUMS = _names(
    "sum mean mm bmm addmm baddbmm addmv mv dot vdot addbmm convolution "
    "convolution_backward cumsum nansum trace avg_pool2d avg_pool2d_backward avg_pool3d "
    "avg_pool3d_backward _adaptive_avg_pool2d _adaptive_avg_pool2d_backward "
    "_adaptive_avg_pool3d upsample_linear1d upsample_bilinear2d "
    "upsample_linear1d_backward upsample_bilinear2d_backward col2im mkldnn_convolution"
)
# The same, added up in memory of the arrays' own precision.
SCATTERED = _names(
    "index_add index_add_ scatter_add scatter_add_ index_put index_put_ _unsafe_index_put "
    "_index_put_impl_ embedding_dense_backward max_pool2d_with_indices_backward "
    "max_pool3d_with_indices_backward put_"
)
# Kernels of several steps that torch calls basic: taken apart, to see where digits cancel.
KERNELS = _names(
    "native_layer_norm native_layer_norm_backward native_group_norm "
    "native_group_norm_backward native_batch_norm _native_batch_norm_legit "
    "_native_batch_norm_legit_no_training native_batch_norm_backward _softmax "
    "_log_softmax gelu gelu_backward var var_mean std std_mean logsumexp _fused_rms_norm "
    "_softmax_backward_data _log_softmax_backward_data silu_backward silu elu "
    "elu_backward"
)


# Kernels that keep sums over rows in memory of the arrays' own precision; sums along a row stay in
# float32 registers.
IN_MEMORY = _names("native_layer_norm_backward")
# Kernels that round every step to the arrays' own precision, as if they were no kernel.
STEPWISE = _names("_log_softmax_backward_data _softmax_backward_data")
# Functions that float32 kernels approximate to a few units, not to one.
APPROXIMATE = _names("erf erfc erfinv lgamma digamma polygamma")
