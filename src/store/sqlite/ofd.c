/* placeholder */
int keystead_ofd_placeholder;
